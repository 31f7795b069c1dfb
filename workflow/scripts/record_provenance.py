"""Record the code and the machine of an experiment: commit, uncommitted changes, hardware and versions."""

import argparse
from pathlib import Path

from seqlab.io.errors import command
from seqlab.io.files import replacing, write_json
from seqlab.io.provenance import compose_provenance, read_changes


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provenance", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--changes", type=Path, required=True, help="patch to write, empty without changes")
    arguments = parser.parse_args()
    changes = read_changes()
    with replacing(arguments.changes) as temporary:
        temporary.write_bytes(changes.patch)
    write_json(arguments.provenance, compose_provenance(changes))


if __name__ == "__main__":
    main()

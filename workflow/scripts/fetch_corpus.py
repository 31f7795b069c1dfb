"""Write the raw text of one corpus: downloaded, copied or generated, and checked."""

import argparse
import json
import os
from pathlib import Path

from seqlab.configuration import insert_paths
from seqlab.io.errors import InputError, command
from seqlab.io.files import write_json
from seqlab.text.corpora import fetch_corpus
from seqlab.text.definitions import describe_source


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="name of the corpus")
    parser.add_argument("--definition", required=True, help="its block of config/corpora.yaml, as JSON")
    parser.add_argument("--text", nargs="*", default=[], help="local texts to copy, for kind path and files")
    parser.add_argument("--output", required=True, type=Path, help="raw.txt to write")
    parser.add_argument("--source", required=True, help="source.json to write")
    arguments = parser.parse_args()
    try:
        definition = json.loads(arguments.definition)
    except ValueError as error:
        raise InputError(f"--definition of corpus {arguments.name} is not JSON ({error}); correct it") from None
    definition = insert_paths(definition, arguments.text) if isinstance(definition, dict) else definition
    mirror = os.environ.get("SEQLAB_MIRROR")  # a folder of texts for machines without a network
    fetch_corpus(arguments.name, definition, arguments.output, Path(mirror) if mirror else None)
    write_json(arguments.source, {"title": definition.get("title", ""), "source": describe_source(definition)})


if __name__ == "__main__":
    main()

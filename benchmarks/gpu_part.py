"""Write the result of one part of gpu.sh with its machine and versions.

    python benchmarks/gpu_part.py --part NAME --exit-code 0 --log FILE --json FILE

`figures` is the JSON in the last line of the log, or null where the part ended before it; `summary` is the last line
that is no JSON. SEQLAB_COMMIT names the commit where there is no git.
"""

import argparse
import json
import os
import platform
import subprocess
from pathlib import Path

import numpy
import torch

from seqlab.io.files import write_text


def commit() -> str | None:
    """Return the current commit, from SEQLAB_COMMIT or git; None where both are missing."""
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return os.environ.get("SEQLAB_COMMIT") or git.stdout.strip() or None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", required=True)
    parser.add_argument("--exit-code", required=True, type=int)
    parser.add_argument("--log", required=True, type=Path)
    parser.add_argument("--json", required=True, type=Path)
    arguments = parser.parse_args()
    lines = [line for line in arguments.log.read_text(encoding="utf-8").splitlines() if line.strip()] or [""]
    is_json = lines[-1].startswith("{")
    record = {
        "part": arguments.part,
        "passed": arguments.exit_code == 0,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "commit": commit(),
        "summary": next((line for line in reversed(lines) if not line.startswith("{")), ""),
        "figures": json.loads(lines[-1]) if is_json else None,
    }
    write_text(arguments.json, json.dumps(record, indent=1) + "\n", checksum=False)


if __name__ == "__main__":
    main()

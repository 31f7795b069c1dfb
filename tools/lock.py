"""Write the installed versions to requirements.txt, the lock, and to environment.yml, the same pins for conda."""

import subprocess
import sys
from pathlib import Path

LOCK, ENVIRONMENT = Path("requirements.txt"), Path("environment.yml")
OWN = {"seqlab", "pip"}  # installed by hand: the package itself, and the installer
HEADER = "# Every package at the version that was tested; written by `make lock`.\n"
CONDA = """# The pins of requirements.txt for conda users; written by `make lock`, compared by a test.
#   conda env create --file environment.yml && conda activate seqlab
name: seqlab
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def installed() -> list[str]:
    """Return sorted `name==version` lines of all packages in this environment, without local parts such as +cpu."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    )
    pins = (line.split("+")[0] for line in listing.stdout.split())
    return sorted(pin for pin in pins if pin.split("==")[0] not in OWN)


def main() -> None:
    pins = installed()
    LOCK.write_text(HEADER + "".join(f"{pin}\n" for pin in pins))
    ENVIRONMENT.write_text(CONDA + "".join(f"      - {pin}\n" for pin in pins))
    print(f"{len(pins)} packages locked")


if __name__ == "__main__":
    main()

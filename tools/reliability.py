"""Inject every fault of docs/reliability.md, more often than the tests do, and write its table.

python tools/reliability.py --kills 40 --flips 100 --fuzzed 400
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
TESTS = [f"tests/workflow/test_{name}.py" for name in ("kills", "damage", "surroundings", "bad_input")]
TESTS += ["tests/unit/fleet/test_resume.py", "tests/unit/text/test_downloads.py"]
BEGIN, END = "<!-- begin: tools/reliability.py -->", "<!-- end -->"


def inject(kills: int, flips: int, fuzzed: int) -> tuple[Counter[str], list[str]]:
    """Run the tests of faults; return the number of injections by fault, and the tests that failed or were skipped."""
    numbers = {"SEQLAB_KILLS": str(kills), "SEQLAB_FLIPS": str(flips), "SEQLAB_FUZZED": str(fuzzed)}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-o", "junit_family=xunit1", f"--junitxml={report}", *TESTS]
        subprocess.run(command, cwd=ROOT, env=os.environ | numbers, check=False)
        root = ElementTree.parse(report).getroot()
    counts: Counter[str] = Counter()
    for entry in root.iter("property"):
        if str(entry.get("value")).isdecimal():  # not an entry of hypothesis
            counts[str(entry.get("name"))] += int(str(entry.get("value")))
    failures = {"failure", "error", "skipped"}
    failed = [case for case in root.iter("testcase") if failures & {child.tag for child in case}]
    return counts, [f"{case.get('classname')}.{case.get('name')}" for case in failed]


def format_table(counts: Counter[str], failed: list[str]) -> str:
    """Return the table of the page, a row for each kind of fault."""
    damaged = [name for name in counts if name.startswith("damaged ") and name.endswith(", refused")]
    refused = sum(counts[name] for name in damaged)
    harmless = sum(count for name, count in counts.items() if name.endswith(", without effect"))
    same = "the same bits after the same command"
    rows = [(name, counts[name], same) for name in counts if name.startswith("SIG")]
    rows += [
        (
            "a file among the results damaged",
            refused + harmless,
            f"{refused} refused by name, {harmless} without effect on what is read; no other number",
        )
    ]
    runs = [name for name in counts if name.endswith(" in a run of Snakemake")]
    rows += [(name, counts[name], "named by Snakemake; made again after deletion") for name in runs]
    rows += [
        (name, counts[name], "one sentence; old files intact; continues when there is space")
        for name in counts
        if name.startswith("full disk")
    ]
    rows += [
        (name, counts[name], "the next address is tried; nothing that fails its checksum is kept")
        for name in counts
        if name.startswith("download")
    ]
    rows += [(name, counts[name], "each refused with its sentence") for name in counts if name.startswith("bad input")]
    rows += [
        (f"{name}, refused", counts[name], "a sentence, no traceback") for name in counts if name.startswith("fuzzed")
    ]
    listed = {row[0].removesuffix(", refused") for row in rows} | {"runs that ended with the same bits"}
    rest = [name for name in counts if name not in listed and not re.search("refused$|without effect$", name)]
    rows += [(name, counts[name], OUTCOMES.get(name, "the same bits")) for name in rest]
    lines = ["| fault | injected | outcome |", "|---|---|---|"]
    lines += [f"| {name} | {count:,} | {outcome} |" for name, count, outcome in rows]
    lines += ["", f"Failed or skipped: {', '.join(failed) or 'none'}."]
    return "\n".join(lines)


OUTCOMES = {
    "two Snakemakes in one folder": "the second reports the lock; the first ends with the same bits",
    "two folders with one mirror": "both have the text; the mirror is unchanged",
    "clock moved back": "nothing runs again",
    "read-only source tree": "the same bits; nothing written there",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="number of kills of a run of Snakemake (%(default)s)")
    parser.add_argument("--flips", type=int, default=12, help="number of damages of each file (%(default)s)")
    parser.add_argument("--fuzzed", type=int, default=150, help="number of random inputs of each kind (%(default)s)")
    arguments = parser.parse_args()
    counts, failed = inject(arguments.kills, arguments.flips, arguments.fuzzed)
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{format_table(counts, failed)}\n{END}{after}", encoding="utf-8")
    sys.exit(f"error: not all faults were injected or survived: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()

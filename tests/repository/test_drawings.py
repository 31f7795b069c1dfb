"""The drawing of the data flow in docs/architecture.md shows the rules of the workflow."""

import re
import sys

from project import ROOT

sys.path.insert(0, str(ROOT / "tools"))

from drawings import FLOW


def test_every_rule_stands_in_the_flow_of_data_and_no_other() -> None:
    files = [*(ROOT / "workflow").rglob("*.smk"), *ROOT.glob("Snakefile"), *ROOT.glob("workflow/Snakefile")]
    written = re.compile(r"^(?:rule|use rule \w+ as) (\w+)", flags=re.MULTILINE)
    rules = {rule for path in files for rule in written.findall(path.read_text())}
    drawn = {rule for step in FLOW.values() for rule in re.split(r"[,\s]+", step.rules)} - {""}
    assert drawn == rules - {"all"}

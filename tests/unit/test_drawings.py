"""The drawings of docs/architecture.md say what the code and the workflow are."""

import ast
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from drawings import FLOW, edges, layers  # noqa: E402, tools/ is no package


def test_imports_are_counted_by_module() -> None:
    """Against a count that knows nothing of the library which draws."""
    leaves = layers()[1]
    counts: Counter[tuple[str, str]] = Counter()
    for path in (ROOT / "src/seqlab").glob("*/**/*.py"):
        package = path.relative_to(ROOT / "src/seqlab").parts[0]
        found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        parts = {str(node.module).split(".")[1] for node in found if str(node.module).startswith("seqlab.")}
        counts.update((package, part) for part in parts - {package, *leaves})
    assert counts
    assert {edge: count for edge, count in edges(leaves).items() if edge in counts} == counts


def test_every_rule_stands_in_the_flow_of_data_and_no_other() -> None:
    files = [*(ROOT / "workflow").rglob("*.smk"), *ROOT.glob("Snakefile"), *ROOT.glob("workflow/Snakefile")]
    written = re.compile(r"^(?:rule|use rule \w+ as) (\w+)", flags=re.MULTILINE)
    rules = {rule for path in files for rule in written.findall(path.read_text())}
    drawn = {rule for step in FLOW.values() for rule in re.split(r"[,\s]+", step.rules)} - {""}
    assert drawn == rules - {"all"}

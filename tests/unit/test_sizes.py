"""Files and functions stay small enough to be read in one sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE, SCRIPT, FUNCTION = 300, 60, 50  # lines, at most
SOURCES = (".py", ".smk", ".html")


def source_files() -> list[Path]:
    """Every file of source code, and the Snakefile."""
    folders = ("src", "workflow", "tools", "benchmarks", "tests")
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*")) if path.suffix in SOURCES]
    return [ROOT / "workflow/Snakefile", *found]


def limit_of(path: Path) -> int:
    return SCRIPT if path.is_relative_to(ROOT / "workflow/scripts") else FILE


def long_files(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > limit_of(path):
            yield f"{path.relative_to(ROOT)} has {lines} lines, and {limit_of(path)} are allowed; divide it by subject"


def long_functions(path: Path, source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION:
                place = f"{path.relative_to(ROOT)}, lines {node.lineno} to {node.end_lineno}"
                yield f"{place}: {node.name} has {lines} lines, and {FUNCTION} are allowed; divide it"


def test_no_file_is_too_long() -> None:
    found = list(long_files(source_files()))
    assert not found, "\n".join(found)


def test_no_function_is_too_long() -> None:
    python = [path for path in source_files() if path.suffix == ".py"]
    found = [fault for path in python for fault in long_functions(path, path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("lines", "faults"), [(FUNCTION, 0), (FUNCTION + 1, 1)])
def test_a_function_of_more_lines_than_allowed_is_named_with_its_lines(lines: int, faults: int) -> None:
    source = "\n" + "\n".join(["def long():", *["    pass"] * (lines - 1)])
    found = list(long_functions(ROOT / "src/long.py", source))
    assert [fault.split(" has ")[0] for fault in found] == [f"src/long.py, lines 2 to {lines + 1}: long"] * faults

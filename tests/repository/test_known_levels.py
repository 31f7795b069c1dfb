"""The levels of copy memory and of the adding problem in docs/state-tracking.md, from what the two tasks ask."""

import math
import re
from fractions import Fraction

from project import ROOT

PAGE = (ROOT / "docs" / "state-tracking.md").read_text(encoding="utf-8")
DELAY, REMEMBERED, KINDS = 1000, 10, 8


def printed_level(task: str) -> str:
    """The last column of the row of a task."""
    (row,) = re.findall(rf"^\| {task}.*\| ([\d.]+) \|$", PAGE, re.MULTILINE)
    return str(row)


def test_copy_memory_by_chance() -> None:
    """A uniform distribution over the kinds for each remembered symbol, and certainty elsewhere."""
    probabilities = [1.0] * (DELAY + REMEMBERED) + [1 / KINDS] * REMEMBERED
    loss = -sum(map(math.log, probabilities)) / len(probabilities)
    assert printed_level("copy memory") == f"{loss:.5f}"


def test_the_adding_problem_by_chance() -> None:
    """The integral of (a + b - 1) ** 2 over the unit square, by moments: E[x] = 1/2 and E[x ** 2] = 1/3."""
    mean, square = Fraction(1, 2), Fraction(1, 3)
    error = 2 * square + 2 * mean * mean - 2 * 2 * mean + 1
    assert error == Fraction(1, 6)
    assert printed_level("adding problem") == f"{float(error):.4f}"
    assert "0.1767" in PAGE  # as printed by Bai et al. 2018

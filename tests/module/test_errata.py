"""docs/errata.md says what the tests of this folder assert."""

import csv
import re
from pathlib import Path

import pytest
from worked_examples import ERRATA, NOT_PRINTED

from seqlab.report import page

PAGE = (Path(__file__).parents[2] / "docs" / "errata.md").read_text(encoding="utf-8")


def test_the_table_holds_exactly_the_errata_of_the_tests():
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:1] == "|"]
    header = rows.index(["Value", "Place", "Printed", "Right", "Why"])
    table = {row[0]: (row[2], row[3]) for row in rows[header + 2 :]}
    assert table == {name: (erratum.printed, erratum.right) for name, erratum in ERRATA.items()}


def test_the_report_has_the_same_table():
    with (Path(page.__file__).with_name("errata.csv")).open(newline="", encoding="utf-8") as file:
        found = list(csv.reader(file))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:1] == "|"]
    header = rows.index(["Value", "Place", "Printed", "Right", "Why"])
    assert found[1:] == rows[header + 2 :]


@pytest.mark.parametrize("value", NOT_PRINTED.values(), ids=list(NOT_PRINTED))
def test_other_values_stand_on_the_page(value):
    assert re.search(rf"(?<![\d.]){re.escape(value)}(?!\d)", PAGE)

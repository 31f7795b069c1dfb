"""The examples of docs/your-data.md are read as the page says."""

import re
from pathlib import Path
from typing import NoReturn

import pytest

from seqlab.series.reading.columns import read_columns
from seqlab.series.reading.numerals import read_numbers
from seqlab.series.reading.times import check_times

PAGE = (Path(__file__).parents[2] / "docs/your-data.md").read_text(encoding="utf-8")
TABLES = re.findall(r"^```text\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
ROWS = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("|") and "`" in line]
TIMES = {first.strip(): re.findall("`([^`]+)`", second) for first, second in ROWS if "`" in second}
NUMBERS = {first.strip(): second.strip().split(", ") for first, second in ROWS if "`" in first}

NAMES = {"2020": ["2020"], "rain": ["flow", "level", "rain"]}  # last name of a head: the columns that are read


def refuse(row: int, what: str) -> NoReturn:
    raise AssertionError(f"row {row} {what}")


@pytest.mark.parametrize("table", TABLES)
def test_tables(tmp_path: Path, table: str) -> None:
    (tmp_path / "my.csv").write_text(table, encoding="utf-8")
    names = next((names for last, names in NAMES.items() if f"{last}\n" in table), [])
    columns = read_columns(tmp_path / "my.csv", names)
    assert columns.values[:, 0].tolist() == [9.8, 10.5]
    assert columns.values.shape[1] == max(1, len(names))


@pytest.mark.parametrize("kind", TIMES)
def test_times(kind: str) -> None:
    assert len(TIMES[kind]) >= 3
    check_times(TIMES[kind], refuse)


@pytest.mark.parametrize("written", NUMBERS)
def test_numbers(written: str) -> None:
    cells = re.findall("`([^`]+)`", written)
    assert read_numbers(cells, [], ";", None, False, refuse).tolist() == list(map(float, NUMBERS[written]))


def test_there_are_examples_of_each() -> None:
    assert (len(TABLES), len(TIMES) > 15, len(NUMBERS) > 5) == (4, True, True)

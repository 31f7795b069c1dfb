"""A user's CSV is read as it is, or refused in one sentence with row and column."""

from pathlib import Path

import numpy as np
import pytest

from seqlab.io.errors import InputError
from seqlab.series.reading.columns import read_columns


def written(folder: Path, text: str) -> Path:
    path = folder / "series.csv"
    path.write_text(text, encoding="utf-8")
    return path


def rows(first: str, *values: str) -> str:
    return "time,value\n" + "".join(f"{time},{value}\n" for time, value in zip(first.split(), values, strict=True))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (rows("1 2 3", "1", "", "3"), "row 2 of column 'value' of .* is empty; fill the gap"),
        (rows("1 2 3", "1", "NaN", "3"), "row 2 of column 'value' of .* is 'NaN'; fill the gap"),
        (rows("1 2 3", "1", "inf", "3"), "row 2 of column 'value' of .* is 'inf', which is not finite"),
        (rows("1 2 3", "1", "2", "three"), "row 3 of column 'value' of .* is 'three', which is not a number"),
        (rows("1 3 2", "1", "2", "3"), "row 3 of column 'time' of .* is 2, which does not come after 3; sort"),
        (rows("1 2 2", "1", "2", "3"), "row 3 of column 'time' of .* is 2, which does not come after 2"),
        (rows("1 2 3 5", "1", "2", "3", "4"), "row 4 of column 'time' of .* is 5, 2 after 3 where a step is 1; fill"),
        (
            rows("2001-01-01 2001-01-02 2001-01-04", *"123"),
            "row 3 of .* is 2001-01-04, 2 days after 2001-01-02",
        ),
        (rows("1 b 3", "1", "2", "3"), "row 2 of column 'time' of .* is 'b', which is neither a number nor a date"),
        ("time,value\n1,1\n2\n", "row 2 of .* has 1 columns where the head has 2"),
        ("1,2\n3,4\n", "has no head: row 1 is 1, 2"),
        ("time,value\n", "has no rows below its head"),
        ("", "has no rows below its head"),
        ("time,a,b\n1,2,3\n", "has the columns time, a, b; choose one, as in --config column=b"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_columns(written(tmp_path, text))


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no column 'price'; it has time, value"):
        read_columns(written(tmp_path, rows("1 2", "1", "2")), ["price"])


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "series.csv").write_bytes(b"time,value\n1,\xff\n")
    with pytest.raises(InputError, match="is not UTF-8 at byte 13"):
        read_columns(tmp_path / "series.csv")


@pytest.mark.parametrize(
    "times",
    [
        ["1700", "1701", "1702", "1703"],
        ["2001-12-30", "2001-12-31", "2002-01-01", "2002-01-02"],
        ["2001-01-31", "2001-02-28", "2001-03-31", "2001-04-30"],
        ["2001-11", "2001-12", "2002-01", "2002-02"],
        ["2001-03-25T01:00", "2001-03-25T02:00", "2001-03-25T03:00", "2001-03-25T04:00"],
    ],
    ids=["years", "days", "ends of months", "months", "hours"],
)
def test_times_in_equal_steps(tmp_path: Path, times: list[str]) -> None:
    column = read_columns(written(tmp_path, rows(" ".join(times), *"1234")))
    assert column.index == times
    assert column.values.tolist() == [[1.0], [2.0], [3.0], [4.0]]


def test_other_delimiters_and_a_byte_order_mark(tmp_path: Path) -> None:
    column = read_columns(written(tmp_path, "\ufefftime;a;b\n1; 2.5;x\n2;-3e1;y\n"), ["a"])
    assert column.values.tolist() == [[2.5], [-30.0]]


def test_a_file_of_one_column_counts_its_rows(tmp_path: Path) -> None:
    column = read_columns(written(tmp_path, "value\n5\n7\n"))
    assert (column.names, column.index) == (["value"], ["1", "2"])
    np.testing.assert_array_equal(column.values, [[5.0], [7.0]])


TABLE = "time,flow,level,rain\n1,1.5,2,0\n2,2.5,3,1\n3,3.5,5,0\n"


def test_several_columns_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    columns = read_columns(written(tmp_path, TABLE), ["rain", "flow"])
    assert (columns.names, columns.index) == (["rain", "flow"], ["1", "2", "3"])
    assert columns.values.tolist() == [[0.0, 1.5], [1.0, 2.5], [0.0, 3.5]]


def test_every_column_has_its_own_decimal_mark(tmp_path: Path) -> None:
    columns = read_columns(written(tmp_path, 'time;flow;level\n1;"1,5";2.25\n2;"2,5";3.25\n'), ["flow", "level"])
    assert columns.values.tolist() == [[1.5, 2.25], [2.5, 3.25]]


def test_the_times_are_row_numbers_where_the_first_column_is_a_value(tmp_path: Path) -> None:
    columns = read_columns(written(tmp_path, "flow,level\n5,1\n7,2\n"), ["flow", "level"])
    assert (columns.index, columns.values.tolist()) == (["1", "2"], [[5.0, 1.0], [7.0, 2.0]])


@pytest.mark.parametrize(
    ("text", "names", "sentence"),
    [
        (TABLE, ["flow", "wind"], "has no column 'wind'; it has time, flow, level, rain"),
        (TABLE, ["flow", "Flow"], "column 'flow' of .* is named twice, once as 'Flow'; omit one"),
        (
            TABLE,
            [],
            r"has the columns .*; choose one, as in .* column=rain, or several, as in .*=\[level, rain\]",
        ),
        (
            TABLE.replace("2,2.5,3", "2,2.5,x"),
            ["flow", "level"],
            "row 2 of column 'level' of .* is 'x', which is not",
        ),
        (
            TABLE.replace("3,3.5,5", "3,3.5,"),
            ["flow", "level"],
            "'level' of .* ends in row 2 and column 'flow' in row 3;",
        ),
        (
            TABLE.replace("3,3.5,5", "3,NA,5"),
            ["flow", "level"],
            "'flow' of .* ends in row 2 and column 'level' in row 3",
        ),
    ],
)
def test_what_is_wrong_with_several_columns_is_named(
    tmp_path: Path, text: str, names: list[str], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        read_columns(written(tmp_path, text), names)

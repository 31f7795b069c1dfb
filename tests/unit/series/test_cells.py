"""Tables as people have them: dialects of CSV, decimal marks, compressed files, Parquet."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.series.reading.columns import read_columns
from seqlab.series.series import build_series


def written(folder: Path, text: str | bytes, name: str = "my.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def values_of(folder: Path, text: str | bytes, column: str | None = None, decimal: str | None = None) -> list[float]:
    return read_columns(written(folder, text), [column] if column else [], decimal).values[:, 0].tolist()


def refusal(folder: Path, text: str | bytes, column: str | None = None, decimal: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        values_of(folder, text, column, decimal)
    return str(caught.value)


RIGHT = {
    "commas in the head": "Datum;Temperatur (2 m, Mittel)\n2020-01-01;9.8\n2020-01-02;10.5\n",
    "commas in the head and decimal commas": "Datum;Temperatur (2 m, Mittel)\n2020-01-01;9,8\n2020-01-02;10,5\n",
    "sep": "sep=;\nday;value\n0;9,8\n1;10,5\n",
    "sep in quotes": '"sep=|"\nday|value\n0|9.8\n1|10.5\n',
    "tabs": "day\tvalue\n0\t9.8\n1\t10.5\n",
    "lines that end in CR": "day,value\r0,9.8\r1,10.5\r",
    "comments": "# from a logger, \"2\" of 3\n#\nday,value\n0,9.8\n# noon; 5\n1,10.5\n",
    "a head that is a comment": "# made by hand\n# day value, unknown\n#day,value\n0,9.8\n1,10.5\n",
    "blank lines": "\n\nday,value\n\n0,9.8\n\n1,10.5\n\n  \n",
    "rows of delimiters at the end": "day,value,\n0,9.8,\n1,10.5,\n,,\n,,\n",
    "a delimiter behind each row": "day,value\n0,9.8,\n1,10.5,\n",
    "quotes": '"day","value"\n"0","9.8"\n"1", "10.5"\n',
    "a minus of typesetters": "day,value\n\u22121,9.8\n0,10.5\n".replace("\u22121", "-1"),
    "one column of decimal commas": "value\n9,8\n10,5\n",
    "one column of decimal commas and commas in the head": "value (m, s, h)\n9,8\n10,5\n",
    "exponents": "day,value\n0,98e-1\n1,1.05E+01\n",
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_dialects_of_csv(tmp_path: Path, name: str) -> None:
    assert values_of(tmp_path, RIGHT[name]) == [9.8, 10.5]


@pytest.mark.parametrize("character", "\u2028\u2029\x85\v\f\x1c\x1d\x1e")
def test_lines_end_in_line_ends_and_nowhere_else(tmp_path: Path, character: str) -> None:
    text = f"day,value,remark\n0,1.5,ok\n1,2.5,a{character}b\n2,3.5,ok\n"
    assert values_of(tmp_path, text, "value") == [1.5, 2.5, 3.5]


def test_a_line_end_in_quotes_is_part_of_a_cell(tmp_path: Path) -> None:
    text = 'day,value,remark\n0,1.5,"a\n# b\n\nc"\n1,x,ok\n'
    assert "row 2 of column 'value'" in refusal(tmp_path, text, "value")
    assert "(line 6) is 'x'" in refusal(tmp_path, text, "value")


@pytest.mark.parametrize("length", [10, 200_000])
def test_a_quotation_mark_that_is_not_closed_is_named_with_its_row(tmp_path: Path, length: int) -> None:
    text = 'day,value\n0,1.5\n1,"2.5\n' + "".join(f"{day},1.5\n" for day in range(2, length))
    assert "row 2 of " in refusal(tmp_path, text)
    assert "quotation mark that is not closed" in refusal(tmp_path, text)


NUMBERS = {
    "thousands and decimals": (["1,234.5", "999", "1,000"], [1234.5, 999, 1000]),
    "thousands and decimals of Germany": (["1.234,5", "999", "1.000"], [1234.5, 999, 1000]),
    "thousands beside smaller numbers": (["998", "999", "1,000"], [998, 999, 1000]),
    "millions": (["1,234,567", "1,000"], [1234567, 1000]),
    "millions of Germany": (["1.234.567", "1.000"], [1234567, 1000]),
    "three places after a zero": (["0,213", "1,213"], [0.213, 1.213]),
    "three places and others after a point": (["1.213", "1.22"], [1.213, 1.22]),
    "blanks between thousands": (["1 234,5", "1\u00a0234\u202f567,25", "2"], [1234.5, 1234567.25, 2]),
    "apostrophes between thousands": (["1'234.5", "1\u2019000"], [1234.5, 1000]),
    "signs": (["+1.5", "-2", "\u22123.5", ".5", "5."], [1.5, -2, -3.5, 0.5, 5]),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_decimal_marks_and_thousands_are_told_apart(tmp_path: Path, name: str) -> None:
    cells, expected = NUMBERS[name]
    text = "day;value\n" + "".join(f"{day};{cell}\n" for day, cell in enumerate(cells))
    assert values_of(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("delimiter", "cells"), [(";", ["1.213", "1.220"]), (";", ["1.213", "999"]), ("\t", ["1.213", "999"])]
)
def test_a_point_that_may_stand_between_thousands_is_asked_about(
    tmp_path: Path, delimiter: str, cells: list[str]
) -> None:
    text = f"day{delimiter}value\n" + "".join(f"{day}{delimiter}{cell}\n" for day, cell in enumerate(cells))
    assert "is '1.213', which may be 1213 or 1.213; give the decimal mark" in refusal(tmp_path, text)
    assert values_of(tmp_path, text, decimal=",")[0] == 1213


@pytest.mark.parametrize(
    "text", ["day,value\n0,1.213\n1,999\n", "day\tvalue\n0\t1.213\n1\t999.000\n", "value\n1.213\n999.000\n"]
)
def test_a_point_is_a_decimal_one_where_nothing_else_is_said(tmp_path: Path, text: str) -> None:
    assert values_of(tmp_path, text) == [1.213, 999]


def test_rows_that_are_single_cells_are_named(tmp_path: Path) -> None:
    assert "has whole rows in quotation marks, such as a,b;" in refusal(tmp_path, '"a,b"\n"0,1"\n"1,2"\n')


@pytest.mark.parametrize("cells", [["1,213", "1,220"], ["1,213", "1.220"]])
def test_where_nothing_tells_them_apart_the_mark_is_asked_for(tmp_path: Path, cells: list[str]) -> None:
    text = "day;value\n" + "".join(f"{day};{cell}\n" for day, cell in enumerate(cells))
    told = refusal(tmp_path, text)
    assert "row 1 of column 'value'" in told and "is '1,213', which may be 1213 or 1.213; give the decimal mark" in told
    assert values_of(tmp_path, text.replace(".", ","), decimal=".") == [1213, 1220]
    assert values_of(tmp_path, text.replace(".", ","), decimal=",") == [1.213, 1.22]


def test_other_columns_tell_what_the_mark_is(tmp_path: Path) -> None:
    assert values_of(tmp_path, 'a,b,c\n0,"1,213",0.5\n1,"1,220",1\n', "b") == [1213, 1220]
    assert values_of(tmp_path, "a;b;c\n0;1.213;0,5\n1;1.220;1\n", "b") == [1213, 1220]
    assert values_of(tmp_path, "a;b;c\n0;1,213;0,5\n1;1,220;1\n", "b") == [1.213, 1.22]


@pytest.mark.parametrize(
    "cell", ["20_0", "1e", "0x10", "1,5,5", "1.5.5", "12,34", "1 2", "five", "5 %", "\u0661", "--1", "1e5e5", "\uff11"]
)
def test_what_only_python_or_nobody_takes_for_a_number_is_none(tmp_path: Path, cell: str) -> None:
    text = f"day;value\n0;1.5\n1;{cell}\n"
    assert f"row 2 of column 'value' of {tmp_path / 'my.csv'} is {cell!r}" in refusal(tmp_path, text)


@pytest.mark.parametrize(
    "text", ["{long},b\n0,1\n1,x\n", "a,b\n0,{long}\n", "a,b\n{long},1\n1,2\n", "a,b\n1,2\n0{long},1\n"]
)
@pytest.mark.parametrize("long", ["x" * 100_000, "9" * 100_000])
def test_a_sentence_about_a_long_cell_is_short(tmp_path: Path, text: str, long: str) -> None:
    assert len(refusal(tmp_path, text.replace("{long}", long))) < 1500


def test_two_decimal_marks_in_a_column_are_refused(tmp_path: Path) -> None:
    assert "is '2.5' and row 1 is '1,5'; write all with one" in refusal(tmp_path, "a;b\n0;1,5\n1;2.5\n")


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_every_number_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    text = "day;value\n" + "".join(f"{day};{value!r}\n" for day, value in enumerate(values))
    assert values_of(tmp_path_factory.getbasetemp(), text, decimal=".") == values


def test_a_blank_line_in_a_file_of_one_column_is_a_missing_value(tmp_path: Path) -> None:
    text = "flow\n1.5\n\n3.5\n"
    assert "row 2 of column 'flow'" in refusal(tmp_path, text) and "is empty" in refusal(tmp_path, text)
    block = {"kind": "csv", "path": str(written(tmp_path, text)), "missing": "interpolate"}
    series = build_series("my", block)
    assert series.values[:, 0].tolist() == [1.5, 2.5, 3.5]
    assert series.notes[0].startswith("1 of 3 values are missing in the source")


@pytest.mark.parametrize("name", ["2020", "2020.0", "02020", "2_020"])
def test_a_column_whose_name_is_a_number_may_be_named_by_the_number(tmp_path: Path, name: str) -> None:
    assert values_of(tmp_path, f"day,2019,{name}\n0,1,2\n1,3,4\n", "2020") == [2, 4]


def test_a_head_of_numbers_is_one_where_it_has_the_column(tmp_path: Path) -> None:
    assert values_of(tmp_path, "2018,2019,2020\n0,1,2\n1,3,4\n", "2020") == [2, 4]
    assert "has no head" in refusal(tmp_path, "0,1,2\n1,3,4\n", "2020")
    assert "has no head: row 1 is 2020-01-01, 5;" in refusal(tmp_path, "2020-01-01,5\n2020-01-02,6\n")


def test_a_head_that_does_not_suit_its_rows_is_named(tmp_path: Path) -> None:
    assert "row 1 of " in refusal(tmp_path, "a,b\n1,2,3\n2,3,4\n")
    assert "has 3 columns where the head has 2" in refusal(tmp_path, "a,b\n1,2,3\n2,3,4\n")
    assert "has 2 columns where the head has 3" in refusal(tmp_path, "a,b,c\n0,x\n1,2\n", "c")


def test_the_exact_name_comes_before_one_that_is_alike(tmp_path: Path) -> None:
    assert values_of(tmp_path, "day,Value,value\n0,1,2\n1,3,4\n", "value") == [2, 4]
    assert "more than one column 'VALUE'" in refusal(tmp_path, "day,Value,value\n0,1,2\n1,3,4\n", "VALUE")


TABLE = pd.DataFrame({"time": pd.date_range("2024-10-26", periods=60, freq="h", tz="Europe/Berlin"), "load": 0.1})
TABLE["load"] += np.arange(60)


def test_compressed_files_and_utf_16(tmp_path: Path) -> None:
    text = TABLE.to_csv(index=False)
    for data in (gzip.compress(text.encode()), text.encode("utf-16")):
        assert values_of(tmp_path, data) == TABLE["load"].tolist()
    assert "is compressed, and damaged or incomplete" in refusal(tmp_path, gzip.compress(text.encode())[:-9])


@pytest.mark.parametrize("indexed", [False, True])
def test_parquet(tmp_path: Path, indexed: bool) -> None:
    (TABLE.set_index("time") if indexed else TABLE).to_parquet(tmp_path / "my.parquet")
    column = read_columns(tmp_path / "my.parquet")
    assert (column.names, column.values[:, 0].tolist()) == (["load"], TABLE["load"].tolist())
    assert column.index[0] == "2024-10-26 00:00:00+02:00"


def test_a_parquet_file_with_a_gap_or_cut_off_is_refused(tmp_path: Path) -> None:
    TABLE.assign(load=TABLE["load"].where(TABLE["load"] != 7.1)).to_parquet(tmp_path / "my.parquet")
    with pytest.raises(InputError, match=r"row 8 of column 'load' of .* is 'nan'; fill the gap"):
        read_columns(tmp_path / "my.parquet")
    whole = (tmp_path / "my.parquet").read_bytes()
    assert "is not a complete Parquet file" in refusal(tmp_path, whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("begin", "what"), [(b"PK\x03\x04", "Excel workbook or another zip"), (b"\xd0\xcf\x11\xe0", "workbook of an old")]
)
def test_files_of_other_programs_are_named(tmp_path: Path, begin: bytes, what: str) -> None:
    told = refusal(tmp_path, begin + bytes(range(256)))
    assert what in told and "save the table as CSV" in told

"""Times rise in equal steps, exactly, in whatever way they are written; what is missing is found."""

import re
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.series.reading.times import check_times

START = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Refused(Exception):
    """Row and sentence."""


def refusal(cells: list[str]) -> str | None:
    """What is wrong with `cells`, None where nothing is."""

    def refuse(row: int, what: str) -> NoReturn:
        raise Refused(f"row {row} {what}")

    try:
        check_times(cells, refuse)
    except Refused as refused:
        return str(refused)
    return None


def days(form: str, number: int = 420, step: int = 1) -> list[str]:
    return [(START + timedelta(days=step * day)).strftime(form) for day in range(number)]


def seconds(step: float, number: int = 500) -> list[datetime]:
    return [START + timedelta(seconds=step * place) for place in range(number)]


def berlin(step: timedelta, number: int, start: str = "2024-10-24T00:00:00+00:00") -> list[str]:
    zone = ZoneInfo("Europe/Berlin")
    return [(datetime.fromisoformat(start) + place * step).astimezone(zone).isoformat() for place in range(number)]


RIGHT = {
    "days as YYYYMMDD": days("%Y%m%d"),
    "days with slashes": days("%Y/%m/%d"),
    "days first": days("%d.%m.%Y"),
    "days first with slashes": days("%d/%m/%Y"),
    "months first": days("%m/%d/%Y"),
    "twelve hours": [f"1/1/2024 {place % 12 or 12}:00 {'AM' if place < 12 else 'PM'}" for place in range(24)],
    "hours compact": [time.strftime("%Y%m%d%H") for time in seconds(3600)],
    "compact with T": [time.strftime("%Y%m%dT%H%M%SZ") for time in seconds(90)],
    "months": [f"{2000 + place // 12}{place % 12 + 1:02}" for place in range(40)],
    "months with a point": [f"{2000 + place // 12}.{place % 12 + 1:02}" for place in range(40)],
    "quarters": [f"{2000 + place // 4}-Q{place % 4 + 1}" for place in range(40)],
    "months by name": ["Nov 2023", "Dec 2023", "January 2024", "feb. 2024"],
    "months by name, last": ["2023 NOV", "2023 DEC", "2024 JAN"],
    "months with M": ["2023M11", "2023M12", "2024M1"],
    "days by name": ["30-Jan-2024", "31-Jan-2024", "01-Feb-2024"],
    "weeks": ["2020-W51", "2020-W52", "2020-W53", "2021-W01"],
    "50 in a second": [time.isoformat(timespec="milliseconds") for time in seconds(0.02)],
    "60 in a second, rounded": [time.isoformat(timespec="milliseconds") for time in seconds(1 / 60)],
    "30 in a second, rounded to hundredths": [f"{place / 30:.2f}" for place in range(500)],
    "60 in a second since 1970, in milliseconds": [f"{1714564800000 + place * 1000 / 60:.0f}" for place in range(500)],
    "50 in a second since 1970": [f"{1714564800 + place / 50:.2f}" for place in range(500)],
    "50 in a second since 1970, with float64's noise": [repr(1714564800.1 + place / 50) for place in range(500)],
    "tenths with float64's noise": [repr(0.1 * place) for place in range(500)],
    "femtoseconds": [f"{place}e-15" for place in range(500)],
    "months since 1970": [str(int(datetime(2020 + m // 12, m % 12 + 1, 1, tzinfo=UTC).timestamp())) for m in range(30)],
    "hours across the end of summer time": berlin(timedelta(hours=1), 400),
    "quarters of an hour across its begin": berlin(timedelta(minutes=15), 400, "2024-03-30T12:00:00+00:00"),
    "midnights across the end of summer time": [f"2024-10-{d}T00:00:00+0{2 - d // 28}:00" for d in range(24, 32)],
    "UTC by name": ["2024-01-01 00:00 UTC", "2024-01-01 12:00 UTC", "2024-01-02 00:00 UTC"],
    "an end of the day": ["2024-01-01 12:00", "2024-01-01 24:00", "2024-01-02 12:00"],
    "times of day": ["00:00", "00:15", "00:30", "00:45"],
    "one": ["2024-01-01"],
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_rises_in_equal_steps_is_taken(name: str) -> None:
    assert refusal(RIGHT[name]) is None


@pytest.mark.parametrize("name", [name for name in RIGHT if len(RIGHT[name]) >= 20])
@pytest.mark.parametrize("place", [1, 7, -2])
def test_a_time_that_is_missing_is_found(name: str, place: int) -> None:
    cells = [*RIGHT[name]]
    del cells[place]
    row = (place if place > 0 else len(cells) + place + 1) + 1
    assert re.match(rf"row {row} is .* where a step is .*; fill the gap, or ", refusal(cells) or "")


@given(st.integers(1, 10**9), st.integers(0, 9), st.integers(5, 60), st.data())
def test_numbers_of_any_unit_are_held_exactly(step: int, places: int, number: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(-(10**15), 10**15))
    cells = [f"{first + place * step}e-{places}" for place in range(number)]
    assert refusal(cells) is None
    del cells[data.draw(st.integers(1, number - 2))]
    assert refusal(cells) is not None


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (["1", "2", "3", "5"], "row 4 is 5, 2 after 3 where a step is 1; fill the gap"),
        (["2001-01-01", "2001-01-02", "2001-01-04"], "row 3 is 2001-01-04, 2 days after 2001-01-02 where a step is 1"),
        (["20240130", "20240131", "20240202"], "row 3 is 20240202, 2 days after 20240131 where a step is 1 day"),
        (["2001-01-01", "2001-01-01"], "row 2 is 2001-01-01, which does not come after 2001-01-01; sort the rows"),
        (["2024-02-30", "2024-03-01"], "row 1 is '2024-02-30', which is neither a number nor a date"),
        (["1", "2", "1_0"], "row 3 is '1_0', which is neither a number nor a date"),
        (["1", "2", "1e99999"], "row 3 is '1e99999', which is neither a number nor a date"),
        (["2024-01-01T00:00Z", "2024-01-01T01:00"], "row 2 is '2024-01-01T01:00', which lacks an offset from UTC"),
        (["2024-01-01T25:00", "2024-01-02T01:00"], "row 1 is '2024-01-01T25:00', which is neither"),
    ],
)  # fmt: skip
def test_what_is_out_of_step_is_named(cells: list[str], what: str) -> None:
    assert (refusal(cells) or "").startswith(what)


def test_an_hour_that_clocks_repeat_is_not_to_be_removed() -> None:
    autumn = [time[:19] for time in berlin(timedelta(hours=1), 100)]
    told = refusal(autumn)
    assert told and "does not come after" in told and "write times with their offset" in told and "remove" not in told


def test_an_hour_that_clocks_leave_out_may_be_no_gap() -> None:
    told = refusal([time[:19] for time in berlin(timedelta(hours=1), 100, "2024-03-30T00:00:00+00:00")])
    assert told and "2 h after 2024-03-31T01:00:00 where a step is 1 h" in told and "with their offset" in told

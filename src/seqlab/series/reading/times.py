"""Times of a series: parsing, and the check for equal steps."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NoReturn

from seqlab.io.errors import flatten, quote

SECOND = 10**12  # ticks: a time is a whole number of picoseconds, so that no step is rounded
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
TIME_UNITS = {"days": DAY, "h": HOUR, "min": MINUTE, "s": SECOND, "ms": SECOND // 1000, "µs": SECOND // 10**6}
UNIT_TICKS = 10**30  # ticks of the number 1 as a time
EPOCH = date(1970, 1, 1).toordinal()
LARGEST_EXPONENT = 300  # of numbers that count time
ZONE = r"(?:\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?"
CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,12}))?)?(?:\s*(?P<half>[AP]M))?"
)
AFTER = rf"(?:(?:T|\s+)(?:{CLOCK}|(?P<full>\d{{2}}))(?:{ZONE}))?"
FLAGS = re.ASCII | re.IGNORECASE
YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})(?:[-/.](?P<day>\d{{1,2}}){AFTER})?", FLAGS)
DAY_FIRST = re.compile(rf"(?P<day>\d{{1,2}})[-/.](?P<month>\d{{1,2}})[-/.](?P<year>\d{{4}}){AFTER}", FLAGS)
MONTH_FIRST = re.compile(rf"(?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})[-/.](?P<year>\d{{4}}){AFTER}", FLAGS)
COMPACT = re.compile(  # 202001, 20200131, 2020013123, 202001312359, 20200131T235959Z
    rf"(?P<year>1[5-9]\d\d|2\d{{3}})(?P<month>\d{{2}})(?:(?P<day>\d{{2}})(?:T?(?P<hour>\d{{2}})"
    rf"(?:(?P<minute>\d{{2}})(?P<second>\d{{2}})?)?{ZONE})?)?",
    FLAGS,
)
QUARTER = re.compile(r"(?P<year>\d{4})[- ]?Q(?P<quarter>[1-4])", FLAGS)
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAMED_MONTH = rf"(?P<name>{'|'.join(MONTH_NAMES)})[a-z]*\.?"
NAME_FIRST = re.compile(
    rf"(?:(?P<day>\d{{1,2}})[-/. ]+)?{NAMED_MONTH}[-/. ]*(?P<year>\d{{4}}){AFTER}", FLAGS
)  # 31-Jan-2024
NAME_LAST = re.compile(rf"(?P<year>\d{{4}})[-/. ]*(?:{NAMED_MONTH}|M(?P<month>\d{{1,2}}))", FLAGS)  # 2024 JAN, 2024M01
ONLY_CLOCK = re.compile(CLOCK, FLAGS)
TIME_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)


@dataclass(frozen=True)
class Time:
    """A point in time: `ticks` since 1970 in UTC, or in local time without a zone; `wall` in local time; the number of
    its `month`, where it has a date; the `resolution` of its notation in ticks; and whether it names a zone.
    """

    ticks: int
    wall: int
    month: int | None
    resolution: int
    zoned: bool


Reader = Callable[[str], Time | None]


def check_times(cells: Sequence[str], refuse: Callable[[int, str], NoReturn]) -> None:
    """Call `refuse` with the first invalid row, from 1, and its fault, unless `cells` are times that rise in equal
    steps, or in equal numbers of months or days.

    Times may be numbers, dates and times in one notation, with offsets from UTC, dates as YYYYMMDD and YYYYMM,
    quarters, or seconds and milliseconds since 1970. Times at equal steps may be rounded to their digits, such as 60 in
    a second.
    """
    furthest, fault = -1, None
    for read in READERS:
        times = _read_all(cells, read)
        if len(times) < len(cells):
            furthest = max(furthest, len(times))
            continue
        failure = _fault(times, cells, read)
        if failure is None:
            return
        if fault is None or failure[0] >= fault[0]:  # the notation that is valid for more rows
            fault = failure
    if fault is None:
        row = max(furthest, 0)
        refuse(
            row + 1,
            f"is {quote(cells[row])}, which is neither a number nor a date such as 2001-12-29 like those before it; "
            "correct it, or move the values to the first column",
        )
    refuse(*fault)


def _read_all(cells: Sequence[str], read: Reader) -> list[Time]:
    """Read the times up to the first cell that is not one."""
    times = []
    for cell in cells:
        time = read(cell)
        if time is None:
            break
        times.append(time)
    return times


def _fault(times: Sequence[Time], cells: Sequence[str], read: Reader) -> tuple[int, str] | None:
    """Return the first row with a wrong step and its fault; None where there is none."""
    for row, time in enumerate(times):
        if time.zoned != times[0].zoned:
            verb, other_verb = ("has", "lacks") if time.zoned else ("lacks", "has")
            return (
                row + 1,
                f"is {quote(cells[row])}, which {verb} an offset from UTC and row 1 {other_verb} it; write all alike",
            )
    steps = [after.ticks - before.ticks for before, after in pairwise(times)]
    if not steps:
        return None
    usual = sorted(steps)[(len(steps) - 1) // 2]
    dated = times[0].month is not None and not times[0].zoned
    for row, step in enumerate(steps, 2):
        if step <= 0:
            hint = _clock_hint(step, usual) if dated else ""
            remedy = hint or "sort the rows and remove duplicates"
            return row, f"is {flatten(cells[row - 1])}, which does not come after {flatten(cells[row - 2])}; {remedy}"
    if _in_months(times) or _in_days(times) or _even(times, steps, usual, read):
        return None
    row = next(row for row, step in enumerate(steps, 2) if abs(step - usual) * 10**6 > usual)
    worst = next((row for row, step in enumerate(steps, 2) if 2 * abs(step - usual) > usual), row)
    step, counts = steps[worst - 2], read is _number
    hint = _clock_hint(step, usual) if dated else ""
    remedy = hint or "remove the column if its steps are to count as equal"
    return worst, (
        f"is {flatten(cells[worst - 1])}, {_written(step, counts)} after {flatten(cells[worst - 2])} where a step is "
        f"{_written(usual, counts)}; fill the gap, or {remedy}"
    )


def _clock_hint(step: int, usual: int) -> str:
    """Return the remedy for a step that is an hour too long or too short, as at a change of clocks."""
    if abs(step - usual) != HOUR or usual >= DAY:
        return ""
    return "where clocks were changed there, write times with their offset, as in 2024-10-27T02:00+01:00, or in UTC"


def _in_months(times: Sequence[Time]) -> bool:
    """Return whether the times lie in months at equal distances."""
    if any(time.month is None for time in times):
        return False
    steps = {(after.month or 0) - (before.month or 0) for before, after in pairwise(times)}
    return len(steps) == 1 and min(steps) > 0


def _in_days(times: Sequence[Time]) -> bool:
    """Return whether the times lie equal numbers of whole days apart in local time, clock changes included."""
    steps = {after.wall - before.wall for before, after in pairwise(times)}
    step = min(steps)
    return times[0].month is not None and len(steps) == 1 and step > 0 and step % DAY == 0


def _even(times: Sequence[Time], steps: Sequence[int], usual: int, read: Reader) -> bool:
    """Return whether the steps are equal, up to the rounding of the times to their digits."""
    if all(abs(step - usual) * 10**6 <= usual for step in steps):
        return True
    resolution = min(time.resolution for time in times)
    least = (
        10 if read is _number and resolution >= UNIT_TICKS else 3
    )  # a step of 3 units and a gap of 6 are distinguishable
    if resolution >= DAY and read is not _number:
        return False
    first, last, number = times[0].ticks, times[-1].ticks, len(steps)
    tolerance = max(resolution, max(abs(first), abs(last)) >> 49 if read is _number else 0)  # that of float64
    return tolerance * least <= usual and all(
        abs((time.ticks - first) * number - place * (last - first)) <= tolerance * number
        for place, time in enumerate(times)
    )


def _written(step: int, counts: bool) -> str:
    """Write a step in its largest whole unit, or as a number where the times are numbers."""
    if counts:
        return f"{step / UNIT_TICKS:g}"
    name = next((name for name, size in TIME_UNITS.items() if step % size == 0), "s")
    return f"{step / TIME_UNITS[name]:g} {name if abs(step) != DAY else 'day'}"


def _number(cell: str) -> Time | None:
    """Parse a number as a time."""
    if not TIME_NUMBER.fullmatch(cell):
        return None
    value = Decimal(cell)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or max(abs(exponent), abs(value.adjusted())) > LARGEST_EXPONENT:
        return None
    _, digits, _ = value.as_tuple()
    whole = int("".join(map(str, digits))) * (-1 if value < 0 else 1)
    if exponent < -30:
        return Time(whole // 10 ** (-30 - exponent), 0, None, 1, False)
    return Time(whole * 10 ** (30 + exponent), 0, None, 10 ** (30 + min(exponent, 0)), False)


def _epoch(cell: str) -> Time | None:
    """Parse seconds since 1970, or their thousandths, millionths or billionths."""
    time = _number(cell)
    if time is None:
        return None
    for divisor in (1, 10**3, 10**6, 10**9):
        ticks = time.ticks // divisor // (UNIT_TICKS // SECOND)
        if 10**8 <= ticks // SECOND < 10**10:
            day = date.fromordinal(EPOCH + ticks // DAY)
            begins = day.day == 1 and ticks % DAY == 0
            return Time(ticks, ticks, day.year * 12 + day.month if begins else None, SECOND // divisor, True)
    return None


def _moment(match: "re.Match[str] | None") -> Time | None:
    """Return the time of the parts in `match`; None for an impossible date or time of day."""
    if match is None:
        return None
    part = match.groupdict()
    if part.get("quarter"):
        month = 3 * int(part["quarter"]) - 2
    else:
        month = 1 + MONTH_NAMES.index(part["name"].lower()) if part.get("name") else int(part["month"])
    try:
        days = date(int(part["year"]), month, int(part.get("day") or 1)).toordinal() - EPOCH
    except ValueError:
        return None
    clock = _clock(part)
    if clock is None:
        return None
    wall, resolution = days * DAY + clock[0], clock[1]
    zone = part.get("zone")
    offset = _offset(zone) if zone else 0
    if offset is None:
        return None
    return Time(wall - offset, wall, int(part["year"]) * 12 + month, resolution, zone is not None)


def _clock(part: "dict[str, str | None]") -> tuple[int, int] | None:
    """Return the time of day and its resolution, both in ticks; 24:00 is the end of a day."""
    hour, minute, second = (int(part.get(name) or 0) for name in ("hour", "minute", "second"))
    hour += int(part.get("full") or 0)
    if half := part.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half.upper() == "PM")
    fraction = part.get("fraction") or ""
    ticks = hour * HOUR + minute * MINUTE + second * SECOND + int(fraction.ljust(12, "0"))
    if minute > 59 or second > 59 or ticks > DAY:
        return None
    if fraction:
        return ticks, 10 ** (12 - len(fraction))
    finest = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "full": HOUR}
    return ticks, next((size for name, size in finest.items() if part.get(name)), DAY)


def _offset(zone: str) -> int | None:
    if zone.upper() in ("Z", "UTC", "GMT"):
        return 0
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        return None
    return (-1 if zone[0] == "-" else 1) * (hours * HOUR + minutes * MINUTE)


def _compact(cell: str) -> Time | None:
    return _moment(COMPACT.fullmatch(cell))


def _week(cell: str) -> Time | None:
    """Parse a week, as in 2001-W05, or a day of it, as in 2001-W05-1."""
    if not re.fullmatch(r"\d{4}-W\d{2}(-\d)?", cell, re.ASCII):
        return None
    try:
        days = date.fromisoformat(cell if cell.count("-") == 2 else f"{cell}-1").toordinal() - EPOCH
    except ValueError:
        return None
    return Time(days * DAY, days * DAY, None, DAY, False)


def _only_clock(cell: str) -> Time | None:
    """Parse a time of day without a date."""
    match = ONLY_CLOCK.fullmatch(cell)
    clock = _clock(match.groupdict()) if match else None
    return Time(clock[0], clock[0], None, clock[1], False) if clock else None


READERS: list[Reader] = [
    _number,
    _compact,
    lambda cell: _moment(YEAR_FIRST.fullmatch(cell)),
    lambda cell: _moment(QUARTER.fullmatch(cell)),
    lambda cell: _moment(NAME_FIRST.fullmatch(cell)),
    lambda cell: _moment(NAME_LAST.fullmatch(cell)),
    lambda cell: _moment(DAY_FIRST.fullmatch(cell)),
    lambda cell: _moment(MONTH_FIRST.fullmatch(cell)),
    _week,
    _only_clock,
    _epoch,
]


def is_time(cell: str) -> bool:
    """Return whether a cell is a date or a time of day, and not only a number."""
    return any(read(cell) is not None for read in READERS if read not in (_number, _compact, _epoch))

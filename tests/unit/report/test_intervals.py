"""Places of intervals on the scale of a table, and intervals beyond it."""

import re

import pytest

from seqlab.questions.verdicts import TOTAL_ONLY, Verdict
from seqlab.report.intervals import MARGIN, WIDTH, IntervalScale


def verdict(difference: float, half: float = 0.1) -> Verdict:
    return Verdict("ngram", "mkn-3", "lstm-2x16", "worse", difference, difference - half, difference + half)


def test_no_difference_and_the_largest_are_at_the_ends() -> None:
    scale = IntervalScale([verdict(0.1), verdict(0.9)])
    assert (scale.place(0.0), scale.place(1.0)) == pytest.approx((MARGIN, WIDTH - MARGIN))


def test_the_point_is_in_the_middle_of_its_line() -> None:
    shown = verdict(0.5)
    drawing = IntervalScale([shown, verdict(1.0)]).draw(shown)
    (start, end), (point,) = re.findall(r'd="M([\d.]+) 8H([\d.]+)"', drawing)[0], re.findall(r'cx="([\d.]+)"', drawing)
    assert float(point) == pytest.approx((float(start) + float(end)) / 2, abs=0.1)
    assert "arrow" not in drawing


def test_a_difference_beyond_the_scale_is_an_arrow_without_a_point() -> None:
    far = verdict(9.0)
    drawing = IntervalScale([*(verdict(0.1) for _ in range(9)), far]).draw(far)
    assert "arrow" in drawing and "circle" not in drawing


def test_models_that_cannot_be_compared_have_no_drawing() -> None:
    unknown = Verdict("compressor", "xz", "lstm-2x16", TOTAL_ONLY)
    assert IntervalScale([unknown]).draw(unknown) == ""

"""Rows of published.csv as text."""

import math
from pathlib import Path

import pytest

from seqlab.io.errors import InputError
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.questions.reproduction import ReproductionRow
from seqlab.report.published import count_verdicts, read_published

NETWORK = ReproductionRow(
    "LSTM", "lstm-1x64", 44888, 3, "stream", "nats", 1.449, 0.005, 1.43712, 1.42, 1.45499, "reproduced", "memory", "A"
)
COMPRESSOR = ReproductionRow(
    "NA", "xz", 0, 0, "stream", "perplexity", 4.0, 0.1, math.inf, math.nan, math.nan, "not reached", "printed", "B"
)


def test_figures_are_shown_in_the_digits_of_a_table(tmp_path: Path) -> None:
    write_table(tmp_path / "published.csv", tabulate_rows(ReproductionRow, [NETWORK, COMPRESSOR]))
    network, compressor = read_published(tmp_path / "published.csv")
    assert (network["printed"], network["figure"], network["interval"]) == ("1.449", "1.437", "1.420 to 1.455")
    assert (network["parameters"], network["seeds"], network["tolerance"]) == ("44,888", "3", "0.005")
    assert (compressor["cell"], compressor["figure"], compressor["interval"]) == ("NA", "∞", "–")
    assert (compressor["parameters"], compressor["seeds"]) == ("–", "–")


def test_verdicts_are_counted_in_the_order_of_the_table() -> None:
    rows = [{"verdict": verdict} for verdict in ("better", "reproduced", "better", "not reached")]
    assert count_verdicts(rows) == "2 better, 1 reproduced, 1 not reached"


def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "published.csv").write_text("cell,model\nLSTM,lstm-1x64\n")
    with pytest.raises(InputError, match=r"published\.csv is damaged \(it has no column parameters\)"):
        read_published(tmp_path / "published.csv")

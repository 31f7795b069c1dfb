"""tools/table.py prints the tables of docs/results from the results of an experiment."""

import csv
import math
import subprocess
import sys
from pathlib import Path

import pytest
from made_forecasts import make_forecasts, make_vectors
from project import ROOT
from tracked import grow

from seqlab.io.tables import tabulate_rows, write_table
from seqlab.questions.gaps import GapRow
from seqlab.questions.reproduction import ReproductionRow


def make_texts(folder: Path) -> None:
    grow(folder, None)


def make_columns(folder: Path) -> None:
    make_forecasts(folder, prepared=make_vectors())


@pytest.mark.parametrize("make", [make_texts, make_forecasts, make_columns])
def test_a_table_has_a_row_for_each_model(make, tmp_path: Path) -> None:
    make(tmp_path)
    (path,) = tmp_path.rglob("models.csv")
    command = [sys.executable, "tools/table.py", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = list(csv.DictReader(done.stdout.splitlines()))
    with path.open(newline="") as file:
        models = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == {row["model"] for row in models}
    columns = {row["column"] or "mean" for row in models if "column" in row}
    assert {row["column"] for row in rows if "column" in row} == columns


def test_a_table_of_answers_has_a_row_for_each_model_and_text(tmp_path: Path) -> None:
    rows = [
        GapRow(text, "rnn", "lstm-1x8", seed, *gaps, 540, bits)
        for text in ("test", "second text")
        for seed, gaps, bits in (("1", (0, math.inf), 0.25), ("1", (1, 1), 0.1), ("2", (0, math.inf), 0.75))
    ]
    write_table(tmp_path / "gaps.csv", tabulate_rows(GapRow, rows))
    command = [sys.executable, "tools/table.py", str(tmp_path / "gaps.csv")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    printed = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["text"] for row in printed] == ["test", "second text"]
    assert (printed[0]["bits per answer"], printed[0]["best seed"], printed[0]["worst seed"]) == (
        "0.500",
        "0.250",
        "0.750",
    )


def test_a_table_of_published_values_has_a_row_for_each_cell(tmp_path: Path) -> None:
    rows = [
        ReproductionRow(
            "LSTM", "lstm-1x8", 411, 3, "stream", "nats", 1.449, 0.005, 1.437, *ends, "reproduced", "memory", "A"
        )
        for ends in ((1.42, 1.45), (math.nan, math.nan))
    ]
    write_table(tmp_path / "published.csv", tabulate_rows(ReproductionRow, rows))
    command = [sys.executable, "tools/table.py", str(tmp_path / "published.csv")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    printed = list(csv.DictReader(done.stdout.splitlines()))
    assert [(row["printed"], row["seqlab"], row["95 % interval"], row["source"]) for row in printed] == [
        ("1.449", "1.437", "1.420 to 1.450", "A (memory)"),
        ("1.449", "1.437", "–", "A (memory)"),
    ]

"""tools/table.py prints the tables of docs/results from the results of an experiment."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from made_forecasts import make_forecasts
from project import ROOT
from tracked import grow


def make_texts(folder: Path) -> None:
    grow(folder, None)


@pytest.mark.parametrize("make", [make_texts, make_forecasts])
def test_a_table_has_a_row_for_each_model(make, tmp_path: Path) -> None:
    make(tmp_path)
    (path,) = tmp_path.rglob("models.csv")
    command = [sys.executable, "tools/table.py", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = list(csv.DictReader(done.stdout.splitlines()))
    with path.open(newline="") as file:
        assert {row["model"] for row in rows} == {row["model"] for row in csv.DictReader(file)}

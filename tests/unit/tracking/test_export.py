"""Runs as one table: every digit of the files, and nothing of MLflow."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from made_results import make_results

from seqlab.cli.main import COMMANDS
from seqlab.io.errors import InputError
from seqlab.ledger.perplexity import read_metrics
from seqlab.tracking.export import FIRST_COLUMNS, export_runs

SOURCES = Path(__file__).parents[3] / "src"
RUNS = 7 + 12 + 7  # seven models without seeds and twelve networks in one experiment, seven models in the other
ROWS = 14 * 8 + 12 * (8 + 6 * 4)  # of networks four epochs of six curves, too


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("export")
    make_results(root)
    make_results(root, experiment="other", cells=(), hidden=())
    return root / "results"


@pytest.fixture(scope="module")
def table(results: Path) -> pd.DataFrame:
    assert export_runs(results, results / "runs.csv") == (ROWS, RUNS)
    return pd.read_csv(results / "runs.csv", keep_default_na=False, dtype={"seed": str, "value": float})


def test_the_table_has_a_row_for_each_run_metric_and_step(table: pd.DataFrame) -> None:
    assert list(table.columns[: len(FIRST_COLUMNS)]) == FIRST_COLUMNS
    assert not table.duplicated(["run_key", "metric", "step"]).any()


def test_every_run_names_its_experiment_and_its_text(table: pd.DataFrame) -> None:
    runs = table.drop_duplicates("run_key")
    assert runs.groupby(["experiment", "corpus", "unit"]).size().to_dict() == {
        ("made", "toy", "char"): 19, ("other", "toy", "char"): 7
    }  # fmt: skip


def test_figures_have_every_digit(results: Path, table: pd.DataFrame) -> None:
    metrics = read_metrics(results / "made/toy/char/rnn/lstm-1x8/metrics.json")
    expected = [row["perplexity"] for row in metrics["scores"] if row["split"] == "test"]
    wanted = table[(table["model"] == "lstm-1x8") & (table["metric"] == "test/perplexity")]
    assert (wanted["value"].tolist(), wanted["seed"].tolist()) == (expected, ["1", "2", "3"])


def test_an_infinite_perplexity_is_in_the_table(table: pd.DataFrame) -> None:
    rows = table[(table["model"] == "mle-3") & (table["metric"] == "test/perplexity")]
    assert rows["value"].tolist() == [float("inf")] * 2


def test_settings_are_columns(table: pd.DataFrame) -> None:
    assert set(table.loc[table["model"] == "lstm-2x16", "hidden"].astype(str)) == {"16"}


def test_parquet_holds_the_same(results: Path, table: pd.DataFrame) -> None:
    export_runs(results, results / "runs.parquet")
    same = pd.read_parquet(results / "runs.parquet")
    assert same["value"].tolist() == table["value"].tolist() and list(same.columns) == list(table.columns)


def test_another_format_is_refused(results: Path) -> None:
    with pytest.raises(InputError, match=r"neither in \.csv nor in \.parquet"):
        export_runs(results, results / "runs.xlsx")


def test_a_folder_without_results_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no finished run"):
        export_runs(tmp_path, tmp_path / "runs.csv")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`seqlab` where mlflow and torch can't be imported."""
    code = "import sys; sys.modules.update(mlflow=None, torch=None); from seqlab.cli.main import main; main()"
    environment = os.environ | {"PYTHONPATH": str(SOURCES)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, text=True, capture_output=True, env=environment, check=False)


def test_the_command_needs_no_mlflow(results: Path, tmp_path: Path) -> None:
    done = run("export", str(tmp_path / "runs.csv"), "--results", str(results))
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/runs.csv: {ROWS} rows of {RUNS} runs\n"), done.stderr


def test_a_command_that_fails_says_so_in_one_line(results: Path) -> None:
    done = run("export", "runs.txt", "--results", str(results))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1) and done.stderr.startswith("error: runs.txt ends")


def test_the_list_of_commands_is_complete() -> None:
    printed = run("--help").stdout
    assert all(name in printed and what in printed for name, (_, what) in COMMANDS.items())

"""Made results with their tables, and the database that their runs go to, for tests of tracking."""

import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from made_results import NOTHING_TO_SPELL, make_results

from seqlab.files import read_json, write_text
from seqlab.ledger.perplexity import read_metrics, write_metrics
from seqlab.ledger.scores import read_scores
from seqlab.ledger.verdicts import Entry, verdicts
from seqlab.report.tables import summarize, write_table
from seqlab.tracking.connection import ENVIRONMENT
from seqlab.tracking.publish import track_runs
from seqlab.tracking.runs import Sweep

SMALL = ("mkn-1", "lstm-1x8")  # one run and three runs, which with the sweep make five
SWEEP = Sweep("made", "snakemake --cores all --configfile config/made.yaml")


@dataclass
class Tree:
    """A tree of results and the database its runs go to."""

    results: Path
    folders: list[Path]
    uri: str

    @property
    def receipt(self) -> Path:
        return self.results / "tracking.json"

    def track(self) -> dict[str, Any]:
        track_runs(self.results, self.folders, self.uri, self.receipt, SWEEP)
        return read_json(self.receipt)

    def runs(self, deleted: bool = False) -> dict[str, Any]:
        """The runs of the database by name; more than one of a name is a failure."""
        from mlflow.entities import ViewType

        client = self.client()
        experiment = client.get_experiment_by_name("toy/char")
        view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
        found = client.search_runs([experiment.experiment_id], run_view_type=view)
        by_name = {run.info.run_name: run for run in found}
        assert len(by_name) == len(found), "two runs of one name"
        return by_name

    def client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def points(self, name: str) -> list[tuple[str, int, int, float]]:
        """Every stored point of a run."""
        run = self.runs()[name]
        history = [
            point for key in run.data.metrics for point in self.client().get_metric_history(run.info.run_id, key)
        ]
        return sorted((point.key, point.step, point.timestamp, point.value) for point in history)

    def artifacts(self, name: str, folder: str | None = None) -> set[str]:
        found = self.client().list_artifacts(self.runs()[name].info.run_id, folder)
        return {file.path for file in found if not file.is_dir}


def make_database(folder: Path) -> Path:
    """A database with tables and without runs: making the tables takes seconds, copying the file does not."""
    os.environ.update(ENVIRONMENT)
    from mlflow import MlflowClient

    MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db").search_experiments()
    return folder / "mlflow.db"


def grow(root: Path, database: Path, models: tuple[str, ...] | None = None) -> Tree:
    """Made results of all models, or of some, with their tables, and a copy of `database`."""
    folders = [folder for folder in make_results(root) if models is None or folder.name in models]
    base = root / "results" / "toy" / "char"
    metrics = [folder / "metrics.json" for folder in folders]
    for name, table in zip(("summary", "models"), summarize(metrics, NOTHING_TO_SPELL), strict=True):
        write_table(base / f"{name}.csv", table)
    entries = [Entry(read_metrics(path), read_scores(path.with_name("scores.npz"))["test"]) for path in metrics]
    write_table(base / "verdicts.csv", verdicts(entries))
    write_text(base / "figures" / "bars.svg", "<svg/>\n")
    shutil.copy(database, root / "results" / "mlflow.db")
    return Tree(root / "results", folders, f"sqlite:///{root}/results/mlflow.db")


def make_worse(folder: Path, seed: int | None) -> None:
    """Change the test scores of one seed, as a run with another outcome would."""
    metrics = read_metrics(folder / "metrics.json")
    for row in metrics["scores"]:
        if row["seed"] == seed and row["split"] == "test":
            row["perplexity"] += 1.0
            row["bits_per_symbol"] = math.log2(row["perplexity"])
    write_metrics(folder / "metrics.json", metrics)

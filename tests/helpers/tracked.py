"""Made results with their tables, and the database that their runs go to, for tests of tracking."""

import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from made_results import NOTHING_TO_SPELL, make_results

from seqlab.io.files import read_json, write_text
from seqlab.io.runs import Experiment, Place, Run, read_experiment, write_experiment
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.ledger.perplexity import read_metrics, write_metrics
from seqlab.questions.verdicts import Verdict, answer
from seqlab.report.tables import summarize_texts
from seqlab.tracking.connection import MLFLOW_ENVIRONMENT
from seqlab.tracking.publish import track_runs

SMALL = ("mkn-1", "lstm-1x8")  # one run and three runs, which with that of the experiment make five


@dataclass
class Tree:
    """The results of one experiment on toy by char, and the database that its runs go to."""

    results: Path
    uri: str
    name: str = "made"

    @property
    def listed(self) -> Path:
        return self.results / self.name / "runs.json"

    @property
    def experiment(self) -> Experiment:
        return read_experiment(self.listed)

    @property
    def place(self) -> Place:
        return Place(str(self.results / self.name), "toy", "char")

    @property
    def receipt(self) -> Path:
        return self.results / self.name / "tracking.json"

    def run(self, model: str) -> Run:
        """The run of this model."""
        (run,) = (run for run in self.experiment.runs if run.model == model)
        return run

    def track(self) -> dict[str, Any]:
        track_runs(self.experiment, self.results, self.uri, self.receipt)
        return read_json(self.receipt)

    def runs(self, deleted: bool = False) -> dict[str, Any]:
        """The runs of the experiment in the database by name; more than one of a name is a failure."""
        from mlflow.entities import ViewType

        client = self.client()
        mlflow_experiment = client.get_experiment_by_name("toy/char").experiment_id
        view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
        found = client.search_runs([mlflow_experiment], f"tags.experiment = '{self.name}'", view)
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
    os.environ.update(MLFLOW_ENVIRONMENT)
    from mlflow import MlflowClient

    MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db").search_experiments()
    return folder / "mlflow.db"


def grow(root: Path, database: Path | None, models: tuple[str, ...] | None = None, experiment: str = "made") -> Tree:
    """Made results of all models, or of some, with their tables, and a copy of `database`, if one is given."""
    make_results(root, experiment=experiment)
    tree = Tree(root / "results", f"sqlite:///{root}/results/mlflow.db", experiment)
    if models is not None:
        keep_only(tree, models)
    summarize_again(tree)
    write_text(tree.place.file("figures/bars.svg"), "<svg/>\n")
    if database:
        shutil.copy(database, root / "results" / "mlflow.db")
    return tree


def keep_only(tree: Tree, models: tuple[str, ...]) -> None:
    """Take all other models from the list of the experiment; their files stay."""
    made = tree.experiment
    kept = [run[1:] for run in made.runs if run.model in models]
    folders = {f"{place.corpus}/{place.unit}": folder for place, folder in made.prepared.items()}
    write_experiment(tree.listed, made.name, made.configuration, made.command, folders, kept)


def summarize_again(tree: Tree) -> None:
    """Write the tables of the experiment from its runs."""
    runs = tree.experiment.runs
    for name, table in zip(("summary", "models"), summarize_texts(runs, NOTHING_TO_SPELL), strict=True):
        write_table(tree.place.file(f"{name}.csv"), table)
    verdicts = answer(runs)
    write_table(tree.place.file("verdicts.csv"), tabulate_rows(Verdict, verdicts))


def make_worse(run: Run, seed: int | None) -> None:
    """Change the test scores of one seed, as a run with another outcome would."""
    metrics = read_metrics(run.file("metrics.json"))
    for row in metrics["scores"]:
        if row["seed"] == seed and row["split"] == "test":
            row["perplexity"] += 1.0
            row["bits_per_symbol"] = math.log2(row["perplexity"])
    write_metrics(run.file("metrics.json"), metrics)

"""The runs of an experiment and the paths of their files.

The Snakefile imports this module, so it imports only the standard library.

    results/{experiment}/runs.json                                    every run of the experiment, written first
    results/{experiment}/{corpus}/{unit}/{family}/{model}/            the files of one run
    results/{experiment}/{corpus}/{unit}/models.csv, figures/*.svg    tables and figures
    results/corpora/{corpus}/{prepared}/                              ids and splits, shared by all experiments

A series of numbers is a corpus whose unit is `series`; its models are of the family `forecast`.
"""

import json
import os
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seqlab.io.errors import InputError, quote
from seqlab.io.files import damaged, read_json, write_text
from seqlab.io.names import check_name, is_folder_name

SERIES = "series"  # the unit of a sequence of numbers
FORECAST = "forecast"  # the family of its models
SPLIT_NAMES = ("train", "valid", "test")
RUNS_FILE = "runs.json"
RESERVED_FOLDERS = ("corpora", "mlflow-artifacts", "slurm-logs")  # folders in results that belong to no experiment


class Place(NamedTuple):
    """One corpus and unit of an experiment; `experiment` is the folder of its results, such as results/smoke."""

    experiment: str
    corpus: str
    unit: str

    def file(self, name: str) -> str:
        """Return the path of a table or figure."""
        return f"{self.experiment}/{self.corpus}/{self.unit}/{name}"


class Run(NamedTuple):
    """One model on one corpus and unit; `experiment` is the folder of its results, such as results/smoke."""

    experiment: str
    corpus: str
    unit: str
    family: str
    model: str

    @property
    def place(self) -> Place:
        """The corpus and unit of the run."""
        return Place(*self[:3])

    @property
    def folder(self) -> Path:
        """The folder of the run's files."""
        return Path(*self)

    def file(self, name: str) -> str:
        """Return the path of a file of the run, such as metrics.json."""
        return f"{self.experiment}/{self.corpus}/{self.unit}/{self.family}/{self.model}/{name}"


class Experiment(NamedTuple):
    """The content of runs.json: all runs of one configuration.

    `folder` holds the results, `configuration` names the configuration files, `command` runs the experiment again, and
    `prepared` is the folder of ids and splits of every place. `published` is the title of the published table that the
    experiment is compared with, and `note` a sentence for the report; empty without one. `answers` are the places whose
    text has a second one, with answers that are scored by their gaps, and `audited` those whose models are audited.
    """

    folder: str
    name: str
    configuration: list[str]
    command: str
    prepared: dict[Place, str]
    runs: list[Run]
    published: str = ""
    note: str = ""
    answers: tuple[Place, ...] = ()
    audited: tuple[Place, ...] = ()

    def select(
        self, corpus: str | None = None, unit: str | None = None, families: Sequence[str] | None = None
    ) -> list[Run]:
        """Return the runs on one corpus and unit, or of some families, in the order of the experiment."""
        return [
            run
            for run in self.runs
            if corpus in (None, run.corpus)
            and unit in (None, run.unit)
            and (families is None or run.family in families)
        ]


def choose_experiment_name(configured: str | None, configuration: Sequence[str]) -> str:
    """Return the name of an experiment: the `configured` one, or that of its last configuration file, or default.

    Raise InputError for a name that can't be a folder in results.
    """
    file = re.sub(r"[^\w-]+", "_", Path(configuration[-1]).stem) if configuration else "default"
    name = file if configured is None else configured
    check_name("experiment", name)
    if name in RESERVED_FOLDERS:
        raise InputError(f"experiment is {name!r}, but results/{name} is reserved for other files; choose another name")
    return name


def write_experiment(
    path: str | Path,
    name: str,
    configuration: Sequence[str],
    command: str,
    prepared: dict[str, str],
    runs: Iterable[Sequence[str]],
    published: str = "",
    note: str = "",
    answers: Sequence[str] = (),
    audited: Sequence[str] = (),
) -> None:
    """Write runs.json: `prepared` maps corpus/unit to a folder, `runs` are tuples of corpus, unit, family and model.

    The folders are written relative to the file, so that results can be moved as a whole; `published` is the title of
    a published table, `note` a sentence for the report, and `answers` and `audited` are those of `Experiment` as
    corpus/unit.
    """
    folders = {place: os.path.relpath(where, Path(path).parent) for place, where in prepared.items()}
    content = {"experiment": name, "configuration": list(configuration), "command": command, "prepared": folders}
    content |= {"published": published, "note": note, "answers": list(answers), "audited": list(audited)}
    write_text(path, json.dumps(content | {"runs": [list(run) for run in runs]}, ensure_ascii=False))


def read_experiment(path: str | Path) -> Experiment:
    """Return the experiment in the runs.json `path`, in the folder of the file; InputError where it is damaged."""
    folder = str(Path(path).parent)
    content: dict[str, Any] = read_json(path)
    try:
        prepared = {
            Place(folder, *place.split("/")): os.path.normpath(f"{folder}/{where}")
            for place, where in content["prepared"].items()
        }
        runs = [Run(folder, *run) for run in content["runs"]]
        if not all(is_folder_name(name) for run in runs for name in run[1:]):
            raise TypeError("names that can be folders")
        names = (content["experiment"], content["configuration"], content["command"])
        published, note = (str(content.get(key, "")) for key in ("published", "note"))
        answers, audited = (
            tuple(Place(folder, *place.split("/")) for place in content.get(key, [])) for key in ("answers", "audited")
        )
        return Experiment(folder, *names, prepared, runs, published, note, answers, audited)
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged(path, f"it has no {error}") from None


def read_experiments(results: str | Path) -> list[Experiment]:
    """Return the experiments in the folder `results`, sorted by folder."""
    return [read_experiment(path) for path in sorted(Path(results).glob(f"*/{RUNS_FILE}"))]


def find_experiment(folder: str | Path) -> Experiment | None:
    """Return the experiment that contains `folder`, such as that of a run; None where there is none."""
    folder = Path(folder).resolve()
    above = (place / RUNS_FILE for place in (folder, *folder.parents))
    return next((read_experiment(path) for path in above if path.is_file()), None)


def check_results_folder(folder: str, configuration: Sequence[str]) -> None:
    """Raise InputError where `folder` holds results of another `configuration` or of an earlier version of seqlab."""
    path = Path(folder) / RUNS_FILE
    if not path.is_file() and _is_older(Path(folder)):
        raise InputError(
            f"{folder} was written by an earlier version of seqlab, which had no experiments; remove or move it, or "
            "give this experiment another name with `experiment: NAME`"
        )
    if path.is_file() and (present := read_experiment(path)).configuration != list(configuration):
        first, now = (
            " ".join(files) or "the default configuration" for files in (present.configuration, configuration)
        )
        raise InputError(
            f"{folder} holds the results of {first}, but this experiment is {now}; give it another name with "
            f"`experiment: NAME`, or remove {folder}"
        )


def describe_older_results(results: str | Path = "results") -> list[str]:
    """Return a sentence for each folder in `results` that was written by an earlier version of seqlab."""
    folders = [path for path in sorted(Path(results).glob("*")) if _is_older(path)]
    return [
        f"{folder} was written by an earlier version of seqlab and is no longer read; remove or move it"
        for folder in folders
    ]


def _is_older(folder: Path) -> bool:
    """Return whether `folder` is that of a corpus or of all series in the layout of an earlier version of seqlab."""
    is_corpus = (folder / "clean.txt").is_file()
    return is_corpus or (folder.name == FORECAST and any(folder.glob("*/series.json")))


def add_place_arguments(parser: ArgumentParser) -> None:
    """Add to `parser` the arguments of a program that reads the runs on one corpus and unit."""
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--corpus", required=True, help="the corpus or series")
    parser.add_argument("--unit", required=True, help="char, word, byte, bpe or series")


def select_runs(arguments: Namespace, families: Sequence[str] | None = None) -> list[Run]:
    """Return the runs on the corpus and unit of the arguments of `add_place_arguments`, of all or of some families.

    Raise InputError where the experiment lacks the corpus and unit.
    """
    experiment, (corpus, unit) = read_experiment(arguments.experiment), (arguments.corpus, arguments.unit)
    if Place(experiment.folder, corpus, unit) not in experiment.prepared:
        raise InputError(
            f"{arguments.experiment} has no corpus {quote(corpus)} by {quote(unit)}; correct the arguments"
        )
    return experiment.select(corpus, unit, families)

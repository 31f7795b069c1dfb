"""The runs of an experiment and where their files lie.

The Snakefile reads this module, so it loads nothing but the standard library.

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

from seqlab.io.errors import InputError, shown
from seqlab.io.files import damaged, read_json, write_text
from seqlab.io.names import check_name, names_folder

SERIES = "series"  # the unit of a sequence of numbers
FORECAST = "forecast"  # the family of its models
SPLIT_NAMES = ("train", "valid", "test")
RUNS_FILE = "runs.json"
RESERVED = ("corpora", "mlflow-artifacts", "slurm-logs")  # folders of results that are no experiment's


class Place(NamedTuple):
    """One corpus and unit of an experiment; `experiment` is the folder of its results, such as results/smoke."""

    experiment: str
    corpus: str
    unit: str

    def file(self, name: str) -> str:
        """The path of a table or figure."""
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
        """The corpus and unit that the run is on."""
        return Place(*self[:3])

    @property
    def folder(self) -> Path:
        """The folder of the run's files."""
        return Path(*self)

    def file(self, name: str) -> str:
        """The path of one of the run's files, such as metrics.json."""
        return f"{self.experiment}/{self.corpus}/{self.unit}/{self.family}/{self.model}/{name}"


class Experiment(NamedTuple):
    """The content of runs.json: what one configuration runs.

    `folder` is that of its results, `configuration` the files it was asked for by, `command` what runs it again, and
    `prepared` the folder of ids and splits of every place.
    """

    folder: str
    name: str
    configuration: list[str]
    command: str
    prepared: dict[Place, str]
    runs: list[Run]

    def select(
        self, corpus: str | None = None, unit: str | None = None, families: Sequence[str] | None = None
    ) -> list[Run]:
        """The runs on one corpus and unit, or of some families, in the order of the experiment."""
        return [
            run
            for run in self.runs
            if corpus in (None, run.corpus)
            and unit in (None, run.unit)
            and (families is None or run.family in families)
        ]


def experiment_name(given: str | None, configuration: Sequence[str]) -> str:
    """The name of an experiment: what is `given`, or that of the last file of its `configuration`, or default.

    Raises InputError for one that can't be a folder beside the others in results.
    """
    file = re.sub(r"[^\w-]+", "_", Path(configuration[-1]).stem) if configuration else "default"
    name = file if given is None else given
    check_name("experiment", name)
    if name in RESERVED:
        raise InputError(f"experiment is {name!r}, but results/{name} holds something else; give it another name")
    return name


def write_experiment(
    path: str | Path,
    name: str,
    configuration: Sequence[str],
    command: str,
    prepared: dict[str, str],
    runs: Iterable[Sequence[str]],
) -> None:
    """Write runs.json: `prepared` is by corpus/unit, each of `runs` corpus, unit, family and model.

    The folders of `prepared` are told from that of the file, so that results can be moved as a whole.
    """
    folders = {place: os.path.relpath(where, Path(path).parent) for place, where in prepared.items()}
    content = {"experiment": name, "configuration": list(configuration), "command": command, "prepared": folders}
    write_text(path, json.dumps(content | {"runs": [list(run) for run in runs]}, ensure_ascii=False))


def read_experiment(path: str | Path) -> Experiment:
    """The experiment in the file `path`, a runs.json; InputError where it is damaged.

    The folder of the experiment is that of the file, so results can be moved.
    """
    folder = str(Path(path).parent)
    content: dict[str, Any] = read_json(path)
    try:
        prepared = {
            Place(folder, *place.split("/")): os.path.normpath(f"{folder}/{where}")
            for place, where in content["prepared"].items()
        }
        runs = [Run(folder, *run) for run in content["runs"]]
        if not all(names_folder(name) for run in runs for name in run[1:]):
            raise TypeError("names that can be folders")
        return Experiment(folder, content["experiment"], content["configuration"], content["command"], prepared, runs)
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged(path, f"it has no {error}") from None


def read_experiments(results: str | Path) -> list[Experiment]:
    """The experiments whose folders lie in `results`, by the names of their folders."""
    return [read_experiment(path) for path in sorted(Path(results).glob(f"*/{RUNS_FILE}"))]


def find_experiment(folder: str | Path) -> Experiment | None:
    """The experiment that `folder`, such as that of a run, is a part of; None where it belongs to none."""
    folder = Path(folder).resolve()
    above = (place / RUNS_FILE for place in (folder, *folder.parents))
    return next((read_experiment(path) for path in above if path.is_file()), None)


def conflict(folder: str, configuration: Sequence[str]) -> None:
    """Raise InputError where the results in `folder` are those of an experiment of another `configuration`, or of an
    earlier version of seqlab.
    """
    path = Path(folder) / RUNS_FILE
    if not path.is_file() and _is_older(Path(folder)):
        raise InputError(
            f"{folder} was made by an earlier version of seqlab, which kept no experiments apart; remove it or keep it "
            "elsewhere, or give this experiment another name with `experiment: NAME`"
        )
    if path.is_file() and (made := read_experiment(path)).configuration != list(configuration):
        first, now = (" ".join(files) or "the default configuration" for files in (made.configuration, configuration))
        raise InputError(
            f"{folder} holds the results of {first}, and this is {now}; give this one another name with `experiment: "
            f"NAME`, or remove {folder}"
        )


def older_results(results: str | Path = "results") -> list[str]:
    """A sentence for each folder of results that an earlier seqlab made, which kept no experiments apart."""
    made = [path for path in sorted(Path(results).glob("*")) if _is_older(path)]
    return [
        f"{folder} was made by an earlier version of seqlab, which kept no experiments apart; nothing reads it any "
        "more, so remove it, or keep it elsewhere"
        for folder in made
    ]


def _is_older(folder: Path) -> bool:
    """Return whether `folder` is that of a corpus, or of all series, as an earlier version of seqlab made it."""
    is_corpus = (folder / "clean.txt").is_file()
    return is_corpus or (folder.name == FORECAST and any(folder.glob("*/series.json")))


def add_place_arguments(parser: ArgumentParser) -> None:
    """Give `parser` the arguments of a program that asks something of the runs on one corpus and unit."""
    parser.add_argument("--experiment", type=Path, required=True, help="runs.json of the experiment")
    parser.add_argument("--corpus", required=True, help="the corpus or series")
    parser.add_argument("--unit", required=True, help="char, word, byte, bpe or series")


def selected_runs(arguments: Namespace, families: Sequence[str] | None = None) -> list[Run]:
    """The runs that the arguments of `add_place_arguments` name, or those of some families among them.

    Raises InputError for a corpus and unit that are not the experiment's.
    """
    experiment, (corpus, unit) = read_experiment(arguments.experiment), (arguments.corpus, arguments.unit)
    if Place(experiment.folder, corpus, unit) not in experiment.prepared:
        raise InputError(
            f"{arguments.experiment} has no corpus {shown(corpus)} by {shown(unit)}; correct the arguments"
        )
    return experiment.select(corpus, unit, families)

"""Contents of a crate: files of results and code, and files that are left out.

    results/{experiment}/ results/corpora/    as among the results
    code/                                     the workflow, the library, the configuration files and the lock

Texts of others stay out, and so do n-gram models, from which passages of a text can be read. The Snakefile imports this
module, so it imports only the standard library.
"""

from pathlib import Path
from typing import NamedTuple

from seqlab.io.errors import InputError
from seqlab.io.files import damaged, read_digest, verified
from seqlab.io.runs import RUNS_FILE, SERIES, Experiment, Place, Run
from seqlab.report.contents import source_file

CODE_FOLDER, RESULTS_FOLDER = "code", "results"
METADATA_FILE = "ro-crate-metadata.json"
WORKFLOW_FILE = f"{CODE_FOLDER}/Snakefile"
CODE_PATTERNS = (
    *("Snakefile", "Makefile", "LICENSE", "README.md", "pyproject.toml", "requirements.txt", "environment.yml"),
    *("config/**/*", "profiles/**/*", "workflow/**/*", "src/seqlab/**/*"),
)
EXPERIMENT_FILES = (RUNS_FILE, "report.html", "provenance.json", "changes.diff")
PLACE_PATTERNS = ("*.csv", "check.json", "contrast.json", "figures/*.svg")
RUN_FILES = (
    *("card.yaml", "metrics.json", "scores.npz", "forecasts.npz", "sample.txt", "training.json", "history.csv"),
    *("orders.csv", "model.json", "weights.safetensors", "network.json"),
)
PREPARED_FILES = ("vocab.json", "splits.json", "series.json")
NGRAM_FILES = ("model.npz", "model.arpa.gz", "model/model.ngram")
CONTENT_FILES = ("ids.npy", "bytes.npz", "unknown.json", "series.csv")


class LeftOut(NamedTuple):
    """A file of the results that a crate names, with its size in bytes and SHA-256, but does not contain."""

    file: str
    size: int
    sha256: str
    reason: str


def list_results(experiment: Experiment) -> dict[str, Path]:
    """Return the results of `experiment` that a crate contains, by name in the crate.

    Raise InputError where a result is missing or damaged.
    """
    needed = [run.file("metrics.json") for run in experiment.runs]
    needed += [place.file(name) for place in experiment.prepared for name in _list_tables(place)]
    for file in needed:
        if not Path(file).is_file():
            raise InputError(f"{file} is missing, so the experiment is not finished; run `{experiment.command}` first")
    root = Path(experiment.folder).parent
    for run in experiment.runs:
        if not Path(experiment.prepared.get(run.place, "/")).is_relative_to(root):
            raise damaged(f"{experiment.folder}/{RUNS_FILE}", f"it has no prepared {run.corpus} by {run.unit}")
    folder = Path(experiment.folder)
    files = [folder / name for name in EXPERIMENT_FILES]
    for place in experiment.prepared:
        files += [file for pattern in PLACE_PATTERNS for file in sorted(Path(place.file("")).glob(pattern))]
        files += [Path(experiment.prepared[place], name) for name in PREPARED_FILES]
        files.append(Path(source_file(place, experiment.prepared[place])))
    files += [Path(run.file(name)) for run in experiment.runs for name in RUN_FILES]
    return {_name_result(experiment, file): verified(file) for file in files if file.is_file()}


def _list_tables(place: Place) -> tuple[str, ...]:
    """Return the tables of a corpus or series that `seqlab.crate.checks` computes again."""
    return ("summary.csv", "models.csv") if place.unit == SERIES else ("summary.csv", "verdicts.csv")


def list_left_out(experiment: Experiment) -> list[LeftOut]:
    """Return the results of `experiment` that a crate does not contain."""
    reasons = {Path(run.file(name)): "holds passages of the text" for run in experiment.runs for name in NGRAM_FILES}
    for place, prepared in experiment.prepared.items():
        what = "series" if place.unit == SERIES else "text"
        reasons |= {Path(prepared, name): f"holds the {what}" for name in CONTENT_FILES}
        if what == "text":
            reasons[Path(prepared).parent / "clean.txt"] = "holds the text"
    return [
        LeftOut(_name_result(experiment, file), file.stat().st_size, read_digest(file), reason)
        for file, reason in sorted(reasons.items())
        if file.is_file()
    ]


def list_project_files(project: Path) -> list[str]:
    """Return the files of the workflow and of the library in the folder `project`, relative to it.

    Raise InputError where it is another folder.
    """
    if not (project / "Snakefile").is_file():
        raise InputError(f"{project} has no Snakefile; name the folder of the project")
    files = {file for pattern in CODE_PATTERNS for file in project.glob(pattern) if file.is_file()}
    return [
        file.relative_to(project).as_posix()
        for file in sorted(files)
        if "__pycache__" not in file.parts and not file.name.startswith(".")
    ]


def locate_run(experiment: Experiment, run: Run) -> str:
    """Return the folder of `run` in the crate."""
    return _name_result(experiment, run.folder)


def _name_result(experiment: Experiment, file: Path) -> str:
    return f"{RESULTS_FOLDER}/{file.relative_to(Path(experiment.folder).parent).as_posix()}"

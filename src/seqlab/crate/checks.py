"""Checks of a crate without any training: checksums of all files, and figures computed again from the ledgers."""

import json
import math
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote

import pandas as pd

from seqlab.crate.contents import METADATA_FILE, RESULTS_FOLDER
from seqlab.io.cards import read_card
from seqlab.io.errors import InputError, flatten, quote
from seqlab.io.files import read_json
from seqlab.io.provenance import sha256_of
from seqlab.io.runs import RUNS_FILE, SERIES, Experiment, Place, Run, read_experiment
from seqlab.ledger.perplexity import FIGURE_NAMES, tabulate_scores
from seqlab.ledger.record import read_ledger
from seqlab.questions import verdicts
from seqlab.series.tables import summarize_forecasts

TOLERANCE = 1e-9  # relative; sums of floats differ by it between versions of numpy
VERDICT_TOLERANCE = 1e-6  # bits per symbol
COMPARED_FIGURES = ("difference", "low", "high", "p_holm")


class Outcome(NamedTuple):
    """Name of the experiment in a crate, and numbers of files, their bytes, runs and compared figures."""

    experiment: str
    files: int
    size: int
    runs: int
    figures: int


def check_crate(path: Path) -> Outcome:
    """Check the crate `path`, a zip archive or its unpacked folder.

    Every file that the metadata lists must be there with its size and SHA-256, and no other file. Figures of runs and
    tables, and verdicts, must follow from the ledgers. Raise InputError with the name of the first file that differs.
    """
    with _open_crate(path) as folder:
        files = _read_files(path, folder)
        for name, (size, digest) in files.items():
            _check_file(path, folder, name, size, digest)
        if others := sorted(_list_files(folder) - {*files, METADATA_FILE}):
            raise InputError(f"{path} has the file {quote(others[0])}, which its metadata lacks; fetch the crate again")
        try:
            experiment = _find_experiment(path, folder)
            figures = sum(_check_place(experiment, place) for place in experiment.prepared)
        except InputError as error:  # names of files in the crate, not in a temporary folder
            raise InputError(str(error).replace(f"{folder}/", f"{path}: ")) from None
        except (ValueError, KeyError, IndexError, FileNotFoundError) as error:  # files that do not fit together
            reason = flatten(str(error).replace(f"{folder}/", ""))
            raise InputError(f"{path} contradicts itself ({reason}); ask its authors for another") from None
        size = sum(size for size, _ in files.values())
        return Outcome(experiment.name, len(files), size, len(experiment.runs), figures)


@contextmanager
def _open_crate(path: Path) -> Iterator[Path]:
    """Yield the folder with the files of the crate, unpacked for the block where it is an archive."""
    if not path.exists():
        raise InputError(f"{path} does not exist; `snakemake publish` writes the crate of an experiment")
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                _unpack(path, archive, Path(folder))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise InputError(f"{path} is no crate ({flatten(error)}); fetch it again") from None
        yield Path(folder)


def _unpack(path: Path, archive: zipfile.ZipFile, folder: Path) -> None:
    """Unpack `archive` into `folder`; InputError for names that lead out of it, and for more bytes than fit."""
    entries = archive.infolist()
    for entry in entries:
        name = PurePosixPath(entry.filename)
        if name.is_absolute() or ".." in name.parts or "\\" in entry.filename:
            raise InputError(f"{path} has a file named {quote(entry.filename)}, which leads out of it; do not use it")
    size, room = sum(entry.file_size for entry in entries), shutil.disk_usage(folder).free
    if size > room:
        raise InputError(
            f"{path} unpacks to {size:,} bytes, but {folder} has room for {room:,}; set TMPDIR to a larger one"
        )
    archive.extractall(folder)


def _read_files(path: Path, folder: Path) -> dict[str, tuple[int, str]]:
    """Return size and SHA-256 of every file in the metadata."""
    if not (folder / METADATA_FILE).is_file():
        raise InputError(f"{path} has no {METADATA_FILE}; name a crate that `snakemake publish` wrote")
    try:
        graph = json.loads((folder / METADATA_FILE).read_text(encoding="utf-8"))["@graph"]
        files = {
            unquote(entity["@id"]): (int(entity["contentSize"]), str(entity["sha256"]))
            for entity in graph
            if "File" in entity["@type"]
        }
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: {METADATA_FILE} is damaged ({flatten(error)}); fetch the crate again") from None
    return files


def _check_file(path: Path, folder: Path, name: str, size: int, digest: str) -> None:
    file = folder / name
    if not file.is_file() or not file.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{path} lacks the file {quote(name)}; fetch the crate again")
    if file.stat().st_size != size or sha256_of(file) != digest:
        raise InputError(f"{path}: the file {quote(name)} differs from the published one; fetch the crate again")


def _list_files(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def _find_experiment(path: Path, folder: Path) -> Experiment:
    files = sorted((folder / RESULTS_FOLDER).glob(f"*/{RUNS_FILE}"))
    if len(files) != 1:
        raise InputError(
            f"{path} has {len(files)} experiments instead of one; name a crate that `snakemake publish` wrote"
        )
    return read_experiment(files[0])


def _check_place(experiment: Experiment, place: Place) -> int:
    """Check metrics, tables and verdicts on one corpus or series against its ledgers; return the number of figures."""
    runs = experiment.select(place.corpus, place.unit)
    if place.unit == SERIES:
        return sum(
            _compare_tables(Path(place.file(name)), table)
            for name, table in zip(("summary.csv", "models.csv"), summarize_forecasts(runs), strict=True)
        )
    splits = read_json(Path(experiment.prepared[place]) / "splits.json", "splits")
    rows = [row for run in runs for row in _check_run(run, splits)]
    return len(rows) * len(FIGURE_NAMES) + _check_summary(place, rows) + _check_verdicts(place, runs)


def _check_run(run: Run, splits: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare metrics.json of a run with its ledger; return the rows of its scores."""
    metrics, bits = read_ledger(run)
    expected = tabulate_scores(dict(bits), splits, read_card(run.file("card.yaml"))["seeds"])
    for row, again in zip(metrics["scores"], expected, strict=True):
        for name in FIGURE_NAMES:
            if not math.isclose(row[name], again[name], rel_tol=TOLERANCE):
                place = f"{name} of {row['split']}, seed {row['seed']}"
                raise _differs(run.file("metrics.json"), place, row[name], again[name])
    return [{"family": run.family, "model": run.model} | row for row in expected]


def _check_summary(place: Place, rows: Sequence[dict[str, Any]]) -> int:
    """Compare summary.csv with the scores of all runs; return the number of figures."""
    keys = ("family", "model", "seed", "split")
    path = Path(place.file("summary.csv"))
    table = pd.read_csv(path, dtype={"family": str, "model": str, "split": str}, keep_default_na=False)
    written = {tuple(_plain(row[key]) for key in keys): row for row in table.to_dict("records")}
    for row in rows:
        key = tuple(_plain(row[name]) for name in keys)
        for name in FIGURE_NAMES:
            value = float(written[key][name]) if key in written else math.nan
            if not math.isclose(value, row[name], rel_tol=TOLERANCE):
                raise _differs(str(path), f"{name} of {'/'.join(key)}", value, row[name])
    return len(rows) * len(FIGURE_NAMES)


def _check_verdicts(place: Place, runs: Sequence[Run]) -> int:
    """Compare verdicts.csv with the ledgers; return the number of figures."""
    path = Path(place.file("verdicts.csv"))
    again = verdicts.answer(runs)
    for row, other in zip(verdicts.read_verdicts(path), again, strict=True):
        pair = f"{row.model} against {row.against}"
        if (row.model, row.against, row.verdict) != (other.model, other.against, other.verdict):
            raise _differs(str(path), f"the verdict on {pair}", row.verdict, other.verdict)
        for name in COMPARED_FIGURES:
            values = getattr(row, name), getattr(other, name)
            if not (math.isclose(*values, abs_tol=VERDICT_TOLERANCE) or all(map(math.isnan, values))):
                raise _differs(str(path), f"{name} of {pair}", *values)
    return len(again) * len(COMPARED_FIGURES)


def _compare_tables(path: Path, expected: pd.DataFrame) -> int:
    """Compare the numbers of a table with those `expected`; return their number."""
    table = pd.read_csv(path)
    names = [name for name in expected.select_dtypes("number").columns if name != "train_seconds"]
    if len(table) != len(expected):
        raise _differs(str(path), "the number of rows", len(table), len(expected))
    for name in names:
        columns = (pd.to_numeric(side[name]).astype("float64") for side in (table, expected))
        for row, (value, again) in enumerate(zip(*columns, strict=True)):
            if not (math.isclose(value, again, rel_tol=TOLERANCE) or (math.isnan(value) and math.isnan(again))):
                raise _differs(str(path), f"{name} in row {row + 1}", value, again)
    return len(names) * len(table)


def _plain(value: Any) -> str:
    """Return a key of a row as text; a missing seed is empty."""
    return "" if value is None else str(value)


def _differs(file: str, place: str, value: object, again: object) -> InputError:
    return InputError(f"{file}: {place} is {value}, but its ledger gives {again}; the crate is not what was computed")

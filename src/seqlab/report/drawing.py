"""Drawing of figures from their input files."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure as Drawing

from seqlab.io.arrays import read_arrays
from seqlab.io.errors import InputError
from seqlab.io.files import read_json
from seqlab.io.tables import read_rows, read_table
from seqlab.ledger.perplexity import read_metrics
from seqlab.questions.breakdown import BreakdownRow
from seqlab.questions.gaps import GapRow
from seqlab.questions.horizon import HorizonRow
from seqlab.questions.memory import MemoryRow
from seqlab.report.contents import Figure, Files
from seqlab.report.tables import read_text_models
from seqlab.series.autoregression import ORDER_COLUMNS
from seqlab.series.record import read_forecasts
from seqlab.series.splits import read_description, read_values
from seqlab.series.tables import read_forecast_models

HISTORY_COLUMNS = ["epoch", "seed", "valid_perplexity"]
FILE_READERS: dict[str, Callable[[str], Any]] = {
    "models.csv": read_text_models,
    "metrics.json": read_metrics,
    "history.csv": lambda path: read_table(path, HISTORY_COLUMNS),
    "memory.csv": lambda path: read_rows(path, MemoryRow),
    "horizon.csv": lambda path: read_rows(path, HorizonRow),
    "gaps.csv": lambda path: read_rows(path, GapRow),
    "breakdown.csv": lambda path: read_rows(path, BreakdownRow),
    "series.csv": read_values,
    "series.json": read_description,
    "forecasts.npz": read_forecasts,
    "orders.csv": lambda path: read_table(path, ORDER_COLUMNS),
}
SERIES_READERS = {"models.csv": read_forecast_models}  # of a series, where its file has other columns
SUFFIX_READERS: Mapping[str, Callable[[str], Any]] = {  # of other files
    ".csv": lambda path: read_table(path, None),
    ".json": read_json,
    ".npz": read_arrays,
}


def draw_figure(figure: Figure, files: Files, series: bool = False) -> Drawing:
    """Draw `figure` from its `files`, those of `contents.list_figure_files`; `series` is true for files of a series.

    Raise InputError where a file is damaged or has no reader.
    """
    module, _, function = figure.draw.partition(":")
    contents = [_read(need, files[need], series) for need in figure.needs]
    return getattr(import_module(module), function)(*contents)


def _read(need: str, path: str | dict[str, str], series: bool) -> Any:
    """Return the content of a file, or the contents of the files by model."""
    name = need.rpartition("/")[2]
    reader = (
        (SERIES_READERS if series else {}).get(name) or FILE_READERS.get(name) or SUFFIX_READERS.get(Path(name).suffix)
    )
    if reader is None:
        raise InputError(f"a figure needs {need}, which has no reader; add one to seqlab.report.drawing")
    return reader(path) if isinstance(path, str) else {model: reader(file) for model, file in path.items()}

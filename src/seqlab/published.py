"""Published tables: printed values, and the runs of an experiment that are compared with them.

The key `published` of a configuration holds one table. Each of its cells has a printed value and settings that select
runs of the experiment. The Snakefile imports this module, so it imports only the standard library.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from seqlab.io.errors import InputError, quote
from seqlab.io.runs import SERIES, Place, Run

CELL_KEYS = ("source", "evidence", "unit", "protocol", "tolerance")  # of a cell or, for all cells, of the table
WINDOWS_PROTOCOL = "windows"  # needs the key window as well
SECOND_TEXT_PROTOCOL = "second_text"
MODEL_PROTOCOLS = (WINDOWS_PROTOCOL, SECOND_TEXT_PROTOCOL)  # that read the model, not only its ledger
ERROR_UNIT = "error"  # of answers
MODEL_FILES = {"ngram": "model.npz", "rnn": "weights.safetensors"}  # of the families that are trained
MOST_NAMES = 5  # of models in a sentence


def list_cells(published: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the cells of the table `published`, each with the keys of the table that it does not replace.

    Raise InputError where a cell lacks a key or has the name of another.
    """
    shared = {key: published[key] for key in (*CELL_KEYS, "window") if key in published}
    cells = [shared | cell for cell in published["cells"]]
    names: set[str] = set()
    for number, cell in enumerate(cells):
        place = f"published.cells.{number} ({cell['name']})"
        needed = (*CELL_KEYS, "window") if cell.get("protocol") == WINDOWS_PROTOCOL else CELL_KEYS
        if missing := [key for key in needed if key not in cell]:
            raise InputError(f"{place} has no {missing[0]}; add the key to the cell, or to 'published' for all cells")
        if cell["name"] in names:
            raise InputError(f"{place} has the name of an earlier cell; give every cell a name of its own")
        names.add(cell["name"])
    return cells


def name_protocol(cell: Mapping[str, Any]) -> str:
    """Return the protocol of a cell of `list_cells` with the length of its windows, if it has windows."""
    return f"windows of {cell['window']}" if cell["protocol"] == WINDOWS_PROTOCOL else str(cell["protocol"])


def select_cell_runs(cell: Mapping[str, Any], runs: Mapping[Run, Mapping[str, Any]]) -> list[Run]:
    """Return those of `runs`, which maps runs to their settings, that have every setting of `cell["run"]`.

    corpus, unit, family and model, the names of a run, count as settings. A series has no published cells.
    """
    names = Run._fields[1:]
    return [
        run
        for run, settings in runs.items()
        if run.unit != SERIES and cell["run"].items() <= {**dict(zip(names, run[1:], strict=True)), **settings}.items()
    ]


def assign_cells(published: Mapping[str, Any], runs: Mapping[Run, Mapping[str, Any]]) -> dict[Place, list[Run]]:
    """Return the runs of all cells of the table `published` by corpus and unit; `runs` maps runs to their settings.

    Raise InputError as `list_cells`, and where a cell has no run, runs on several texts or units, or runs that its
    protocol can't score.
    """
    cell_runs: dict[Place, list[Run]] = {}
    for number, cell in enumerate(list_cells(published)):
        name, selection = f"published.cells.{number} ({cell['name']})", select_cell_runs(cell, runs)
        if not selection:
            raise InputError(
                f"{name} has a printed value but no run: no model of this experiment has {quote(cell['run'])}; add the "
                "run, correct these settings, or remove the cell"
            )
        if len(places := list(dict.fromkeys(run.place for run in selection))) > 1:
            first, second = (f"{place.corpus} by {place.unit}" for place in places[:2])
            raise InputError(f"{name} has runs on {first} and on {second}; add corpus or unit to its run")
        if cell["unit"] == ERROR_UNIT and cell["protocol"] == WINDOWS_PROTOCOL:
            raise InputError(f"{name} has unit error with protocol windows; use protocol stream or second_text")
        unscored = [run.model for run in selection if run.family not in MODEL_FILES]
        if unscored and cell["protocol"] in MODEL_PROTOCOLS:
            raise InputError(
                f"{name} has protocol {cell['protocol']}, which can't score {unscored[0]}; select an n-gram or a "
                "network, or use protocol stream"
            )
        cell_runs.setdefault(places[0], []).extend(selection)
    return {place: list(dict.fromkeys(selection)) for place, selection in cell_runs.items()}


def describe_unprinted(cell_runs: Mapping[Place, list[Run]], runs: Iterable[Run]) -> list[str]:
    """Return a sentence for each corpus and unit in `cell_runs`, the result of `assign_cells`, with n-grams or networks
    that no cell selects.
    """
    sentences, trained = [], [run for run in runs if run.family in MODEL_FILES]
    for place, selection in cell_runs.items():
        if names := [run.model for run in trained if run.place == place and run not in selection]:
            rest = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            sentences.append(
                f"note: published.cells has no printed value for {', '.join(names[:MOST_NAMES])}{rest} on "
                f"{place.corpus} by {place.unit}; add a cell for a verdict"
            )
    return sentences

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
MODEL_FILES = {"ngram": "model.npz", "rnn": "weights.safetensors"}  # of the families that score windows
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


def select_cell_runs(cell: Mapping[str, Any], runs: Mapping[Run, Mapping[str, Any]]) -> list[Run]:
    """Return those of `runs`, which maps runs to their settings, that have every setting of `cell["run"]`.

    corpus, unit, family and model, the names of a run, count as settings. A series has no published cells.
    """
    wanted = cell["run"].items()
    return [
        run
        for run, settings in runs.items()
        if run.unit != SERIES and wanted <= (run._asdict() | {"experiment": None, **settings}).items()
    ]


def assign_cells(published: Mapping[str, Any], runs: Mapping[Run, Mapping[str, Any]]) -> dict[Place, list[Run]]:
    """Return the runs of all cells of the table `published` by corpus and unit; `runs` maps runs to their settings.

    Raise InputError as `list_cells`, and where a cell has no run, runs on several texts or units, or runs that its
    protocol can't score.
    """
    places: dict[Place, list[Run]] = {}
    for number, cell in enumerate(list_cells(published)):
        name, chosen = f"published.cells.{number} ({cell['name']})", select_cell_runs(cell, runs)
        if not chosen:
            raise InputError(
                f"{name} has a printed value but no run: no model of this experiment has {quote(cell['run'])}; add the "
                "run, correct these settings, or remove the cell"
            )
        if len(texts := list(dict.fromkeys(run.place for run in chosen))) > 1:
            first, second = (f"{place.corpus} by {place.unit}" for place in texts[:2])
            raise InputError(f"{name} has runs on {first} and on {second}; add corpus or unit to its run")
        others = [run.model for run in chosen if run.family not in MODEL_FILES]
        if others and cell["protocol"] == WINDOWS_PROTOCOL:
            raise InputError(
                f"{name} has protocol windows, which can't score {others[0]}; select an n-gram or a network, or use "
                "protocol stream"
            )
        places.setdefault(texts[0], []).extend(chosen)
    return {place: list(dict.fromkeys(chosen)) for place, chosen in places.items()}


def describe_unprinted(cell_runs: Mapping[Place, list[Run]], runs: Iterable[Run]) -> list[str]:
    """Return a sentence for each corpus and unit in `cell_runs`, the result of `assign_cells`, with n-grams or networks
    that no cell selects.
    """
    sentences, known = [], list(runs)
    for place, chosen in cell_runs.items():
        trained = [run for run in known if run.place == place and run.family in MODEL_FILES]
        if names := [run.model for run in trained if run not in chosen]:
            rest = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            sentences.append(
                f"note: published.cells has no printed value for {', '.join(names[:MOST_NAMES])}{rest} on "
                f"{place.corpus} by {place.unit}; add a cell for a verdict"
            )
    return sentences

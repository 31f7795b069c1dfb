"""Published tables: which runs a printed value is compared with, and the shipped tables themselves."""

import copy
from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from seqlab.configuration import resolve_corpora, text_runs
from seqlab.io.errors import InputError
from seqlab.io.runs import Place, Run
from seqlab.published import assign_cells, describe_unprinted, list_cells
from seqlab.rnn.network import Architecture
from seqlab.text.definitions import load_corpora

ROOT = Path(__file__).parents[2]
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
TABLES = sorted(path.stem for path in (ROOT / "config/published").glob("*.yaml"))
CHAR, WORD = Place("results/made", "novel", "char"), Place("results/made", "novel", "word")
MKN, SMALL, LARGE = Run(*CHAR, "ngram", "mkn-3"), Run(*CHAR, "rnn", "lstm-1x8"), Run(*CHAR, "rnn", "lstm-1x16")
OTHER, XZ = Run(*WORD, "rnn", "gru-1x8"), Run(*CHAR, "compressor", "xz")
RUNS: dict[Run, dict[str, Any]] = {
    MKN: {"smoothing": "mkn", "order": 3},
    SMALL: {"cell": "lstm", "layers": 1, "hidden": 8},
    LARGE: {"cell": "lstm", "layers": 1, "hidden": 16},
    OTHER: {"cell": "gru", "layers": 1, "hidden": 8},
    XZ: {},
}
SHARED = {"source": "A paper", "evidence": "printed", "unit": "nats", "protocol": "stream", "tolerance": 0.01}


def table(*runs: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A published table with a cell for each of `runs`."""
    cells = [{"name": f"cell {number}", "printed": 1.5, "run": run} for number, run in enumerate(runs)]
    return {"title": "A paper"} | SHARED | keys | {"cells": cells}


def refusal(published: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        assign_cells(published, RUNS)
    return str(caught.value)


def test_a_cell_has_the_keys_of_the_table_that_it_does_not_replace() -> None:
    published = table({"cell": "lstm"}, {"cell": "gru"})
    published["cells"][1] |= {"unit": "bits", "source": "Another paper"}
    first, second = list_cells(published)
    assert {key: first[key] for key in SHARED} == SHARED
    assert (second["unit"], second["source"], second["tolerance"]) == ("bits", "Another paper", 0.01)


@pytest.mark.parametrize(
    ("run", "chosen"),
    [
        ({"cell": "lstm", "hidden": 16}, {CHAR: [LARGE]}),
        ({"cell": "lstm"}, {CHAR: [SMALL, LARGE]}),
        ({"smoothing": "mkn", "order": 3}, {CHAR: [MKN]}),
        ({"hidden": 8, "unit": "word"}, {WORD: [OTHER]}),
        ({"model": "xz"}, {CHAR: [XZ]}),
    ],
)
def test_a_cell_selects_the_runs_that_have_its_settings(run: dict[str, Any], chosen: dict[Place, list[Run]]) -> None:
    assert assign_cells(table(run), RUNS) == chosen


def test_a_run_of_two_cells_is_listed_once() -> None:
    assert assign_cells(table({"hidden": 16}, {"cell": "lstm"}), RUNS) == {CHAR: [LARGE, SMALL]}


@pytest.mark.parametrize("key", SHARED)
def test_a_printed_value_without_a_key_is_named(key: str) -> None:
    published = table({"cell": "lstm"})
    del published[key]
    assert refusal(published) == (
        f"published.cells.0 (cell 0) has no {key}; add the key to the cell, or to 'published' for all cells"
    )


def test_windows_need_a_length() -> None:
    assert "has no window; add the key" in refusal(table({"cell": "lstm"}, protocol="windows"))


def test_a_printed_value_without_a_run_is_named_with_its_settings() -> None:
    assert refusal(table({"cell": "lstm"}, {"cell": "lstm", "hidden": 9})) == (
        "published.cells.1 (cell 1) has a printed value but no run: no model of this experiment has "
        "{'cell': 'lstm', 'hidden': 9}; add the run, correct these settings, or remove the cell"
    )


def test_a_cell_with_runs_on_two_texts_or_units_is_named() -> None:
    assert refusal(table({"hidden": 8})) == (
        "published.cells.0 (cell 0) has runs on novel by char and on novel by word; add corpus or unit to its run"
    )


def test_two_cells_of_one_name_are_refused() -> None:
    published = table({"hidden": 16}, {"cell": "gru"})
    published["cells"][1]["name"] = "cell 0"
    assert "published.cells.1 (cell 0) has the name of an earlier cell" in refusal(published)


def test_a_model_that_has_no_windows_is_refused() -> None:
    assert "protocol windows, which can't score xz;" in refusal(table({"model": "xz"}, protocol="windows", window=9))
    assert "protocol second_text, which can't score xz;" in refusal(table({"model": "xz"}, protocol="second_text"))
    assert "unit error with protocol windows;" in refusal(
        table({"cell": "lstm"}, unit="error", protocol="windows", window=9)
    )


def test_a_series_has_no_published_value() -> None:
    run = Run("results/made", "tides", "series", "forecast", "gru-1x8")
    with pytest.raises(InputError, match="no model of this experiment"):
        assign_cells(table({"cell": "gru"}), {run: {"cell": "gru"}})


def test_a_run_without_a_printed_value_is_named_before_anything_runs() -> None:
    chosen = assign_cells(table({"hidden": 16}), RUNS)
    assert describe_unprinted(chosen, RUNS) == [
        "note: published.cells has no printed value for mkn-3, lstm-1x8 on novel by char; add a cell for a verdict"
    ]
    assert (
        describe_unprinted(assign_cells(table({"hidden": 16}, {"hidden": 8, "cell": "lstm"}, {"order": 3}), RUNS), RUNS)
        == []
    )
    many = {Run(*CHAR, "rnn", f"rnn-1x{size}"): {"cell": "rnn", "hidden": size} for size in range(1, 10)}
    (sentence,) = describe_unprinted(assign_cells(table({"hidden": 9}), many), many)
    assert "for rnn-1x1, rnn-1x2, rnn-1x3, rnn-1x4, rnn-1x5 and 3 more on novel" in sentence


def shipped(name: str) -> tuple[dict[str, Any], dict[Run, dict[str, Any]]]:
    """The published table of a shipped configuration, and its runs with their settings."""
    config = copy.deepcopy(DEFAULT)
    update_config(config, yaml.safe_load((ROOT / f"config/published/{name}.yaml").read_text(encoding="utf-8")))
    corpora = resolve_corpora(config, load_corpora(ROOT / "config/corpora.yaml"))
    places = [Place(f"results/{name}", *names) for names in product(config["corpora"], config["units"])]
    runs = {place: text_runs(config, place.unit, corpora[place.corpus]) for place in places}
    settings = {Run(*place, *run): values["settings"] for place in places for run, values in runs[place].items()}
    return config["published"], settings


@pytest.mark.parametrize("name", TABLES)
def test_every_run_of_a_shipped_table_has_a_printed_value_and_every_value_a_run(name: str) -> None:
    published, runs = shipped(name)
    assert describe_unprinted(assign_cells(published, runs), runs) == []


@pytest.mark.parametrize("name", [name for name in TABLES if name.startswith("karpathy2015")])
def test_a_row_of_karpathy_is_a_number_of_parameters(name: str) -> None:
    """arXiv 1506.02078: all networks of a row have as many parameters as its LSTM of one layer; 87 bytes and <unk>."""
    rows: dict[str, dict[tuple[str, int], int]] = defaultdict(dict)
    for cell in list_cells(shipped(name)[0]):
        if "cell" in cell["run"]:
            architecture = Architecture(cell["run"]["cell"], cell["run"]["layers"], cell["run"]["hidden"], 88)
            count = sum(weights[0].numel() for weights in architecture.initial_parameters([1]).values())
            rows[cell["name"].split(", ")[2]][cell["run"]["cell"], cell["run"]["layers"]] = count
    assert len(rows) == 2
    for counts in rows.values():
        assert list(counts.values()) == pytest.approx([counts["lstm", 1]] * len(counts), rel=0.02)

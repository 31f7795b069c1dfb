"""A wrong configuration is refused with the key, its value and what is allowed; the shipped ones are right."""

import copy
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import yaml
from made_fleets import fleet_of, trained
from snakemake.utils import update_config

from seqlab.configuration import (
    CELL_OPTIONS,
    SMOOTHINGS_WITHOUT_BACKOFF,
    check_configuration,
    check_corpora,
    convert_numbers,
    describe_missing_texts,
    external_runs,
    find_longest_need,
    group_fleets,
    is_audited,
    list_external_files,
    ngram_name,
    ngram_runs,
    preparation,
    prepared_name,
    text_runs,
)
from seqlab.fleet.cells import CELLS
from seqlab.fleet.settings import TrainingSettings
from seqlab.io.errors import InputError
from seqlab.io.runs import SPLIT_NAMES
from seqlab.io.schemas import read_schema
from seqlab.ledger.compressors import COMPRESSORS
from seqlab.ngram.smoothing import SMOOTHINGS, estimate
from seqlab.text.cleaning import CLEANING_FUNCTIONS
from seqlab.text.definitions import SPLIT_KEYS, load_corpora
from seqlab.text.splits import check_preparation
from seqlab.text.tokens import UNITS

ROOT = Path(__file__).parents[2]
SCHEMA = read_schema("config")
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
CORPORA = load_corpora(ROOT / "config/corpora.yaml")
SHIPPED = sorted(
    path.relative_to(ROOT / "config").as_posix()
    for path in (ROOT / "config").rglob("*.yaml")
    if path.name not in ("corpora.yaml", "presets.yaml", "series.yaml")
)
TRAINING = SCHEMA["properties"]["rnn"]["properties"]["training"]["properties"]
DIVIDED = {
    "kind": "files",
    "files": {name: f"{name}.txt" for name in SPLIT_NAMES},
    "title": "Divided",
    "licence": "none",
}
DIVIDED |= {"cleaning": "none", "units": ["char"]}
REMOVED = object()


def changed(place: str, value: object) -> dict:
    """The default configuration with another value at `place`, such as rnn.hidden."""
    config = copy.deepcopy(DEFAULT)
    *blocks, key = place.split(".")
    block = config
    for name in blocks:
        block = block.setdefault(name, {})
    block[key] = value
    if value is REMOVED:
        del block[key]
    return config


def refusal(config: dict) -> str:
    """The message with which a configuration is refused."""
    with pytest.raises(InputError) as caught:
        check_configuration(config)
    return str(caught.value)


def allows(place: str, value: object) -> bool:
    try:
        check_configuration(changed(place, value))
    except InputError:
        return False
    return True


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configurations_are_right(name):
    config = copy.deepcopy(DEFAULT)
    update_config(config, yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8")))
    check_configuration(config)
    check_corpora(config, CORPORA)


@pytest.mark.parametrize(
    ("place", "suggestion"),
    [("corpra", "corpora"), ("rnn.hiden", "hidden"), ("rnn.training.learning_rat", "learning_rate")],
)
def test_an_unknown_key_is_named_with_the_one_that_was_meant(place, suggestion):
    message = refusal(changed(place, 1))
    assert repr(place) in message
    assert f"did you mean {suggestion!r}?" in message


def test_an_unknown_key_like_no_other_is_named_with_those_allowed():
    assert refusal(changed("split.zzz", 1)).endswith(
        "key 'split.zzz' is unknown; allowed are block, kind, streams, test, train, valid"
    )


@pytest.mark.parametrize("place", ["rnn", "rnn.seeds", "split.valid", "vocab.min_freq.word", "tracking.uri"])
def test_a_missing_key_is_named(place):
    assert f"key {place!r} is missing; add it" in refusal(changed(place, REMOVED))


@pytest.mark.parametrize(
    ("place", "value", "named", "allowed"),
    [
        ("rnn.hidden", [-1], "'rnn.hidden.0' is -1", "at least 1"),
        ("rnn.hidden", [2.5], "'rnn.hidden.0' is 2.5", "a whole number"),
        ("rnn.hidden", None, "'rnn.hidden' is None", "a whole number"),
        ("rnn.hidden", [], "'rnn.hidden' is []", "a list of at least 1"),
        ("rnn.training.dropout", [0.1, 1.5], "'rnn.training.dropout.1' is 1.5", "below 1"),
        ("rnn.training.dropout", [[0.1]], "'rnn.training.dropout.0' is [0.1]", "a number"),
        (
            "rnn.training.learning_rate",
            [1, 1.0],
            "'rnn.training.learning_rate' is [1, 1.0]",
            "a list without duplicates",
        ),
        ("rnn.by_unit.word", {"epochs": [1, 0]}, "'rnn.by_unit.word.epochs.1' is 0", "at least 1"),
        ("rnn.device", ["cpu"], "'rnn.device' is ['cpu']", "one of auto, cpu, cuda"),
        ("rnn.grids", [{"hidden": 8}, {"hidden": [8, 0]}], "'rnn.grids.1.hidden.1' is 0", "at least 1"),
        ("rnn.grids", [{"dropout": []}], "'rnn.grids.0.dropout' is []", "a list of at least 1"),
        ("rnn.grids", [{"cells": "mamba"}], "'rnn.grids.0.cells' is 'mamba'", f"one of {', '.join(CELLS)}"),
        ("rnn.draw.runs", [1, 2], "'rnn.draw.runs' is [1, 2]", "a whole number"),
        ("forecast.max_order", [1, 2], "'forecast.max_order' is [1, 2]", "a whole number"),
        ("rnn.beta_max", 2.5, "'rnn.beta_max' is 2.5", "at most 2"),
        ("rnn.beta_max", [1, 0], "'rnn.beta_max.1' is 0", "above 0"),
        ("rnn.grids", [{"beta_max": -1}], "'rnn.grids.0.beta_max' is -1", "above 0"),
        ("rnn.hidden", [8, 8], "'rnn.hidden' is [8, 8]", "a list without duplicates"),
        ("rnn.seeds", [], "'rnn.seeds' is []", "a list of at least 1"),
        ("rnn.cells", ["mamba"], "'rnn.cells.0' is 'mamba'", f"one of {', '.join(CELLS)}"),
        ("rnn.training.learning_rate", 0, "'rnn.training.learning_rate' is 0", "above 0"),
        ("rnn.training.learning_rate", "1e-3", "'rnn.training.learning_rate' is '1e-3'", "a number"),
        ("rnn.training.dropout", 1.0, "'rnn.training.dropout' is 1.0", "below 1"),
        ("rnn.training.schedule_factor", 2, "'rnn.training.schedule_factor' is 2", "at most 1"),
        ("rnn.by_unit.word", {"epochs": 0}, "'rnn.by_unit.word.epochs' is 0", "at least 1"),
        ("rnn", None, "'rnn' is None", "a block of keys"),
        ("ngram", [{"smoothing": "mle", "orders": [0]}], "'ngram.0.orders.0' is 0", "at least 1"),
        ("tracking.uri", 5, "'tracking.uri' is 5", "a text"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(place, value, named, allowed):
    assert refusal(changed(place, value)) == f"the configuration key {named}; it must be {allowed}"


def test_an_unknown_corpus_is_named_with_those_there_are():
    with pytest.raises(InputError, match=r"corpus 'moby_dick' is unknown; .* has .*time_machine"):
        check_corpora(changed("corpora", ["markov_chain", "moby_dick"]), CORPORA)


def test_a_corpus_with_none_of_the_units_is_named():
    with pytest.raises(InputError, match=r"'markov_chain' has no unit of .*'word'.*; use one of .*'char'"):
        check_corpora(changed("corpora", ["markov_chain"]) | {"units": ["word"]}, CORPORA)


def test_a_local_text_that_is_missing_is_named_with_its_licence(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("to be or not to be")
    files = {name: str(tmp_path / f"{name}.txt") for name in SPLIT_NAMES}
    corpora = CORPORA | {"divided": DIVIDED | {"files": files}}
    (sentence,) = describe_missing_texts({"corpora": ["time_machine", "divided"]}, corpora)
    assert sentence == (
        f"corpus 'divided' lacks {files['valid']}, {files['test']}; put the text there (licence: none), or correct the "
        "path in config/corpora.yaml"
    )


def test_a_split_that_does_not_add_up_is_refused():
    with pytest.raises(InputError, match=r"'split' add up to 1\.1; train, valid and test must add up to 1"):
        check_corpora(changed("split", DEFAULT["split"] | {"train": 0.9, "valid": 0.1, "test": 0.1}), CORPORA)


def test_a_split_that_adds_up_but_for_rounding_is_taken():
    shares = {"train": 0.7, "valid": 0.2, "test": 0.1}  # 0.7 + 0.2 + 0.1 < 1
    check_corpora(changed("split", DEFAULT["split"] | shares), CORPORA)


@pytest.mark.parametrize(("kind", "corpus"), [("files", "markov_chain"), ("contiguous", "divided")])
def test_a_split_that_a_corpus_does_not_have_is_refused(kind, corpus):
    corpora = CORPORA | {"divided": DIVIDED}
    config = changed("split", DEFAULT["split"] | {"kind": kind}) | {"corpora": [corpus]}
    with pytest.raises(InputError, match=rf"corpus '{corpus}' is of kind .* and 'split.kind' is '{kind}'"):
        check_corpora(config, corpora)


def test_every_training_setting_is_in_schema_and_default_configuration_and_no_other():
    names = sorted(field.name for field in fields(TrainingSettings))
    assert sorted(TRAINING) == names
    assert sorted(DEFAULT["rnn"]["training"]) == names


@pytest.mark.parametrize("unit", UNITS)
def test_every_training_setting_may_differ_by_unit(unit):
    keys = SCHEMA["properties"]["rnn"]["properties"]["by_unit"]["properties"][unit]["properties"]
    assert {key: keys[key] for key in TRAINING} == TRAINING


CHOICES = [(name, value) for name, rule in TRAINING.items() for value in rule.get("enum", ())]


@pytest.mark.parametrize(("name", "value"), CHOICES)
def test_every_choice_of_a_training_setting_trains(name, value):
    assert trained(fleet_of([1], epochs=1, **{name: value})).epoch == 1


@pytest.mark.parametrize(
    ("rule", "implemented"),
    [
        (SCHEMA["properties"]["rnn"]["properties"]["cells"], CELLS),
        (SCHEMA["properties"]["ngram"]["items"]["properties"]["smoothing"], SMOOTHINGS),
        (SCHEMA["properties"]["compressors"]["items"], COMPRESSORS),
        (SCHEMA["properties"]["cleaning"], CLEANING_FUNCTIONS),
        (SCHEMA["properties"]["units"]["items"], UNITS),
    ],
    ids=["cells", "smoothing", "compressors", "cleaning", "units"],
)
def test_schema_allows_exactly_what_is_implemented(rule, implemented):
    assert sorted(rule["enum"]) == sorted(implemented)


def test_options_belong_to_the_cells_that_take_them():
    taken = {(option, cell) for cell, kind in CELLS.items() for option in kind.options}
    assert {(option, cell) for option, cells in CELL_OPTIONS.items() for cell in cells} == taken


def networks_with(rnn: dict) -> dict:
    config = copy.deepcopy(DEFAULT)
    config["rnn"] |= rnn
    return {model: run["settings"] for (family, model), run in text_runs(config, "char", {}).items() if family == "rnn"}


def test_a_largest_rate_is_an_axis_of_the_cell_that_has_one():
    shape = {"layers": 1, "hidden": 8}
    models = networks_with({"cells": "deltanet", "beta_max": [1, 2], **shape})
    assert {model: settings["beta_max"] for model, settings in models.items()} == {
        "deltanet-1x8": 1,
        "deltanet-1x8-beta_max~2": 2,
    }
    blocks = [{"cells": "gru"}, {"cells": "deltanet", "beta_max": [1, 2]}]
    models = networks_with({"grids": blocks, **shape})
    assert ["beta_max" in settings for settings in models.values()] == [False, True, True]
    assert networks_with({"by_unit": {"char": {"cells": "deltanet", "beta_max": 2}}, **shape}).keys() == {
        "deltanet-1x8"
    }


@pytest.mark.parametrize("rnn", [{"beta_max": 2}, {"grids": [{"cells": ["deltanet", "lstm"], "beta_max": 2}]}])
def test_a_largest_rate_of_another_cell_is_refused(rnn):
    with pytest.raises(
        InputError, match=r"^rnn\.beta_max is set for the cell (rnn|lstm), which has none; it belongs to"
    ):
        networks_with(rnn)


@pytest.mark.parametrize("block", ["rnn.training", "forecast.training"])
def test_every_setting_of_a_training_takes_a_value_and_a_list(block):
    first, second = block.split(".")
    for name, value in DEFAULT[first][second].items():
        assert allows(f"{block}.{name}", value), name
        assert allows(f"{block}.{name}", [value]), name
        assert not allows(f"{block}.{name}", [value, value]), name
        assert not allows(f"{block}.{name}", []), name


@pytest.mark.parametrize("block", ["rnn", "forecast"])
def test_the_shape_of_networks_takes_a_value_and_a_list(block):
    cells = "cells" if block == "rnn" else "networks"
    for name, values in {"layers": [1, 2], "hidden": [8, 16], cells: ["gru", "lstm"]}.items():
        assert all(allows(f"{block}.{name}", value) for value in (*values, values)), name
        assert allows(f"{block}.{name}", []) == (name == cells), name  # no cells are no networks


def test_what_is_no_axis_takes_no_list():
    def leaves(rules, where):
        for key, rule in rules.get("properties", {}).items():
            yield from leaves(rule, [*where, key])
        if not rules.get("properties") and not rules.get("axis") and rules.get("type") != "array":
            yield ".".join(where)

    places = [place for place in leaves(SCHEMA, []) if place not in ("mixtures",)]
    value = dict.fromkeys(places, DEFAULT)
    for place in places:
        for key in place.split("."):
            value[place] = value[place].get(key) if isinstance(value[place], dict) else None
        assert not allows(place, [value[place]]), place
    assert {"rnn.device", "rnn.draw.runs", "forecast.max_order", "experiment"} <= set(places)


def test_numbers_given_as_texts_become_numbers_inside_the_lists_of_axes_too():
    rnn = {"hidden": ["8", "16"], "layers": "2", "cells": ["lstm"], "device": "cpu", "seeds": ["1"],
           "training": {"dropout": ["0.0", "3e-1"], "epochs": "7", "random_steps": ["true", "false"],
                        "locked_dropout": "true", "optimiser": ["adam"], "clip": ["one"]},
           "by_unit": {"char": {"learning_rate": ["1e-3", 1]}}}  # fmt: skip
    assert convert_numbers({"rnn": rnn}, SCHEMA)["rnn"] == {
        "hidden": [8, 16], "layers": 2, "cells": ["lstm"], "device": "cpu", "seeds": [1],
        "training": {"dropout": [0.0, 0.3], "epochs": 7, "random_steps": [True, False],
                     "locked_dropout": True, "optimiser": ["adam"], "clip": ["one"]},
        "by_unit": {"char": {"learning_rate": [0.001, 1]}},
    }  # fmt: skip


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("auto", "auto"), ("yes", "yes")])
def test_a_boolean_given_as_text_becomes_one_where_other_words_are_allowed(text: str, value: object) -> None:
    assert convert_numbers({"audit": text}, SCHEMA)["audit"] is value


def test_numbers_given_as_texts_become_numbers_where_the_schema_wants_them():
    schema = {
        "properties": {
            "shards": {"type": "integer"},
            "rates": {"type": "array", "items": {"type": "number"}},
            "name": {"type": "string"},
        }
    }
    given = {"shards": "3", "rates": ["1e-7", 2], "name": "7", "other": "8"}
    assert convert_numbers(given, schema) == {"shards": 3, "rates": [1e-7, 2], "name": "7", "other": "8"}
    assert convert_numbers({"shards": "three"}, schema) == {"shards": "three"}


def test_ngrams_are_named_after_smoothing_order_and_pruning() -> None:
    prune = [{"entropy": 1e-7}, {"entropy": 0.25}, {"entropy": 2e5}, {"counts": [1, 1, 2]}]
    runs = ngram_runs([{"smoothing": "mkn", "orders": [3, 12], "prune": prune}, {"smoothing": "mle", "orders": [1]}])
    ways = ["", "-entropy-1e-7", "-entropy-0.25", "-entropy-200000", "-counts-1-1-2"]
    assert list(runs) == [f"mkn-{order}{way}" for order in (3, 12) for way in ways] + ["mle-1"]
    assert runs["mkn-12-entropy-1e-7"] == {"smoothing": "mkn", "order": 12, "prune": {"entropy": 1e-7}}
    assert runs["mkn-12"] == {"smoothing": "mkn", "order": 12}


def test_a_threshold_that_yaml_takes_for_a_text_is_a_number() -> None:
    config = {"ngram": [{"smoothing": "mkn", "orders": [3], "prune": [{"entropy": "1e-7"}]}]}
    assert convert_numbers(config, SCHEMA)["ngram"][0]["prune"] == [{"entropy": 1e-7}]


@pytest.mark.parametrize(
    "sweep",
    [
        {"smoothing": "laplace", "orders": [2], "arpa": True},
        {"smoothing": "add-k", "orders": [2], "prune": [{"entropy": 1.0}]},
        {"smoothing": "mkn", "orders": [1], "prune": [{"entropy": 1.0}]},
        {"smoothing": "mkn", "orders": [2, 3], "prune": [{"counts": [1, 1, 2]}]},
    ],
)
def test_what_a_sweep_can_not_prune_or_write_is_refused(sweep: dict) -> None:
    with pytest.raises(InputError, match=r"a sweep of 'ngram' .*; "):
        ngram_runs([sweep])


def test_models_of_lines_are_runs_of_a_family_of_their_own_and_for_words_only() -> None:
    sweeps = [{"smoothing": "mkn", "orders": [2, 5], "lines": True}, {"smoothing": "mkn", "orders": [5]}]
    char, word = (text_runs(small(ngram=sweeps), unit, {}) for unit in ("char", "word"))
    assert set(word) - set(char) == {("lines", "mkn-2-lines"), ("lines", "mkn-5-lines")}
    assert word["lines", "mkn-5-lines"]["settings"] == {"smoothing": "mkn", "order": 5}


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_every_smoothing_is_known_to_back_off_or_not(smoothing: str) -> None:
    text = [np.array([1, 2, 1, 2, 2, 1, 1])]
    assert estimate(smoothing, text, 2, 3, valid=text).model.backs_off == (smoothing not in SMOOTHINGS_WITHOUT_BACKOFF)


GENERATED = {"kind": "builtin", "builtin": "even_process", "settings": {"probability": 0.5}, "length": 9, "seed": 1}


def small(**values: object) -> dict:
    """A configuration of a few runs, with other values at dotted keys."""
    config = copy.deepcopy(DEFAULT)
    config |= {"ngram": [{"smoothing": "mkn", "orders": [2]}], "compressors": ["xz"]}
    config["rnn"] |= {"cells": "lstm", "layers": 1, "hidden": [8, 16], "seeds": [1, 2]}
    config["mixtures"] = {"both": ["best ngram", "best rnn"]}
    for place, value in values.items():
        block = config
        *above, key = place.split("__")
        for name in above:
            block = block[name]
        block[key] = value
    return config


def test_the_runs_on_a_text_are_those_of_every_family() -> None:
    runs = text_runs(small(), "char", GENERATED)
    assert list(runs) == [("compressor", "xz"), ("source", "true-source"), ("ngram", "mkn-2"), ("rnn", "lstm-1x8"),
                          ("rnn", "lstm-1x16"), ("mixture", "both")]  # fmt: skip
    assert runs["source", "true-source"] == {"settings": GENERATED, "seeds": []}
    assert runs["mixture", "both"] == {"settings": {"parts": ["best ngram", "best rnn"]}, "seeds": []}
    assert runs["rnn", "lstm-1x16"]["seeds"] == [1, 2]
    shape = {"cell": "lstm", "layers": 1, "hidden": 16, "embedding": 0, "tied": False}
    assert runs["rnn", "lstm-1x16"]["settings"] == shape | DEFAULT["rnn"]["training"]
    assert ("source", "true-source") not in text_runs(small(), "char", {"kind": "path", "path": "a.txt"})


def test_an_axis_of_training_multiplies_the_networks_and_nothing_else() -> None:
    before, after = (text_runs(small(rnn__training__dropout=value), "char", {}) for value in (0.0, [0.0, 0.3]))
    assert {run: after[run] for run in before} == before
    assert set(after) - set(before) == {("rnn", "lstm-1x8-dropout~0.3"), ("rnn", "lstm-1x16-dropout~0.3")}


def test_a_unit_has_settings_and_axes_of_its_own() -> None:
    config = small(rnn__by_unit__word={"dropout": [0.5, 0.2], "epochs": 3, "embedding": 4})
    check_configuration(config)
    char, word = (text_runs(config, unit, {}) for unit in ("char", "word"))
    assert char["rnn", "lstm-1x8"]["settings"]["dropout"] == 0.0
    assert [model for family, model in word if family == "rnn"] == [
        "lstm-1x8", "lstm-1x8-dropout~0.2", "lstm-1x16", "lstm-1x16-dropout~0.2"]  # fmt: skip
    assert word["rnn", "lstm-1x8"]["settings"]["dropout"] == 0.5
    assert word["rnn", "lstm-1x8-dropout~0.2"]["settings"]["epochs"] == 3
    assert [run["settings"]["embedding"] for run in (char["rnn", "lstm-1x8"], word["rnn", "lstm-1x8"])] == [0, 4]


def test_a_unit_has_grids_of_its_own() -> None:
    config = small(rnn__grids=[{"cells": "gru"}], rnn__by_unit__word={"grids": [{"cells": "rnn", "hidden": 9}]})
    check_configuration(config)
    names = [[model for family, model in text_runs(config, unit, {}) if family == "rnn"] for unit in ("char", "word")]
    assert names == [["gru-1x8", "gru-1x16"], ["rnn-1x9"]]


def test_a_grid_has_settings_and_axes_that_stand_above_those_of_all_networks_and_of_a_unit() -> None:
    grids = [{"cells": "rnn", "hidden": 141}, {"cells": ["gru"], "layers": 3, "dropout": 0.1, "epochs": [50, 20]}]
    config = small(rnn__grids=grids, rnn__by_unit__word={"dropout": 0.5, "clip": 0.25})
    check_configuration(config)
    runs = text_runs(config, "word", {})
    assert [model for family, model in runs if family == "rnn"] == [
        "rnn-1x141",
        "gru-3x8",
        "gru-3x8-epochs~20",
        "gru-3x16",
        "gru-3x16-epochs~20",
    ]
    training = DEFAULT["rnn"]["training"] | {"clip": 0.25}
    first, last = {"dropout": 0.5}, {"dropout": 0.1, "epochs": 20}
    for shape, differences in {("rnn", 1, 141): first, ("gru", 3, 16): last}.items():
        settings = dict(zip(("cell", "layers", "hidden"), shape, strict=True)) | {"embedding": 0, "tied": False}
        settings |= training | differences
        assert {"settings": settings, "seeds": [1, 2]} in runs.values()


def test_numbers_given_as_texts_become_numbers_in_grids_too() -> None:
    rnn = {"grids": [{"hidden": ["8", "16"], "dropout": "3e-1"}]}
    assert convert_numbers({"rnn": rnn}, SCHEMA) == {"rnn": {"grids": [{"hidden": [8, 16], "dropout": 0.3}]}}


def test_a_draw_takes_some_of_the_networks() -> None:
    config = small(rnn__draw={"runs": 3, "seed": 1}, rnn__training__clip=[1.0, 0.5])
    assert len([run for run in text_runs(config, "char", {}) if run[0] == "rnn"]) == 3


@pytest.mark.parametrize("settings", [{"prune": {"entropy": 1e-7}}, {"prune": {"counts": [1, 1, 2]}}, {}])
def test_the_name_of_an_ngram_is_that_of_its_run(settings: dict) -> None:
    prune = {"prune": [settings["prune"]]} if settings else {}
    runs = ngram_runs([{"smoothing": "kn", "orders": [3]} | prune])
    assert ngram_name("kn", 3, **settings) in runs
    assert ngram_name("kn", 3) == "kn-3"


def test_the_longest_need_is_that_of_the_run_that_asks_for_the_longest_text() -> None:
    few = {"rnn__training__steps": [1, 5], "rnn__training__batch_size": 8}
    runs = text_runs(small(**few), "char", {})
    need = find_longest_need(runs)
    assert (need["model"], need["key"], need["value"], need["symbols"]) == (
        "lstm-1x8-steps~5", "batch_size", 8, 5 + 8)  # fmt: skip
    runs["ngram", "mkn-99"] = {"settings": {"smoothing": "mkn", "order": 99}, "seeds": []}
    assert find_longest_need(runs) == {"model": "mkn-99", "key": "order", "value": 99, "symbols": 99}
    random = text_runs(small(**few, rnn__training__partition="random"), "char", {})
    assert find_longest_need(random)["symbols"] == 10  # two subsequences of five
    assert find_longest_need({("compressor", "xz"): {"settings": {}, "seeds": []}})["symbols"] == 1


def test_a_prepared_corpus_has_the_name_of_its_unit_where_it_is_cut_as_usual() -> None:
    config = small(rnn__training__dropout=[0.1, 0.2], vocab__min_freq={"char": 1, "word": 5, "byte": 1, "bpe": 1})
    assert [prepared_name(config, DEFAULT, unit) for unit in ("char", "byte")] == ["char", "byte"]
    assert prepared_name(config, DEFAULT, "word").startswith("word-")


def test_corpora_that_are_cut_in_different_ways_have_different_folders() -> None:
    shares = {"train": 0.8, "valid": 0.1, "test": 0.1}
    splits = [shares, {"kind": "char_rnn_streams"}, {"kind": "char_rnn_streams", "streams": 50}]
    configs = [small(split=DEFAULT["split"] | split) for split in splits]
    configs.append(small(vocab=DEFAULT["vocab"] | {"min_freq": DEFAULT["vocab"]["min_freq"] | {"char": 2}}))
    names = {prepared_name(config, DEFAULT, "char") for config in configs}
    assert len(names) == 4
    assert all(name.startswith("char-") for name in names)
    merges = small(vocab=DEFAULT["vocab"] | {"merges": 9})
    assert prepared_name(merges, DEFAULT, "char") == "char"
    assert prepared_name(merges, DEFAULT, "bpe").startswith("bpe-")


def test_what_a_cut_does_not_depend_on_is_no_part_of_it() -> None:
    contiguous = small(split=DEFAULT["split"] | {"streams": 7, "block": 9})
    assert prepared_name(contiguous, DEFAULT, "char") == "char"
    assert set(preparation(contiguous, "char")) == {"kind", "min_freq", "train", "valid", "test"}
    files = small(split=DEFAULT["split"] | {"kind": "files", "train": 0.5})
    assert prepared_name(files, DEFAULT, "word") == "word"
    assert set(preparation(files, "bpe")) == {"kind", "min_freq", "merges"}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", SPLIT_KEYS)
def test_every_preparation_of_the_configuration_is_one_that_a_text_can_be_cut_by(kind: str, unit: str) -> None:
    check_preparation(preparation(small(split=DEFAULT["split"] | {"kind": kind}), unit), unit)


def test_an_external_model_is_a_run_of_its_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine.py", "weights.npz", "its.arpa"):
        (tmp_path / name).touch()
    models = {
        "mine": {"model": f"{tmp_path}/mine.py:Model", "files": ["weights.npz"]},
        "its": {"arpa": "./its.arpa", "unit": "word"},
    }
    mine = {"model": "mine.py:Model", "files": ["weights.npz"]}  # paths that do not depend on the machine
    assert external_runs(models, "char") == {"mine": mine}
    assert external_runs(models, "word") == {"mine": mine, "its": {"arpa": "its.arpa"}}
    assert list_external_files(mine) == ["mine.py", "weights.npz"]


@pytest.mark.parametrize(
    ("audit", "epochs", "expected"),
    [("auto", 62, False), ("auto", 63, True), (True, 1, True), (False, 99, False)],
)
def test_an_audit_is_automatic_where_networks_train_for_long(audit: object, epochs: int, expected: bool) -> None:
    network = {"settings": {"cell": "lstm", "hidden": 8, "epochs": epochs}, "seeds": [1, 2]}
    ngram = {"settings": {"smoothing": "mkn", "order": 3}, "seeds": []}
    assert is_audited(audit, [network, ngram]) == expected


def test_runs_that_differ_in_rates_and_dropout_are_one_fleet():
    rnn = DEFAULT["rnn"] | {"cells": ["rnn", "gru"], "layers": 1, "hidden": 4, "grids": []}
    axes = {"learning_rate": [0.1, 0.2], "dropout": [0.0, 0.5], "clip": [1.0, 2.0], "epochs": 1}
    config = DEFAULT | {"rnn": rnn | {"training": rnn["training"] | axes}, "mixtures": {}}
    runs = text_runs(config, "char", {})
    fleets = group_fleets("shapes", runs)
    assert sorted(model for models in fleets.values() for model in models) == sorted(
        model for family, model in runs if family == "rnn"
    )
    assert [len(models) for models in fleets.values()] == [4] * 4
    assert len({(name.split("-")[0], name) for name in fleets}) == 4
    assert group_fleets("seeds", runs) == {}
    alone = DEFAULT | {"rnn": rnn, "mixtures": {}}
    assert group_fleets("shapes", text_runs(alone, "char", {})) == {}  # one run of each shape needs no fleet

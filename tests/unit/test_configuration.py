"""A wrong configuration is refused with the key, its value and what is allowed; the shipped ones are right."""

import copy
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import yaml
from snakemake.utils import update_config

from seqlab.configuration import (
    NOT_BACKING_OFF,
    check_configuration,
    check_corpora,
    ngram_runs,
    with_numbers,
)
from seqlab.errors import InputError
from seqlab.ledger.compressors import COMPRESSORS
from seqlab.ngram.smoothing import SMOOTHINGS, estimate
from seqlab.rnn.cells import CELLS
from seqlab.rnn.optimisers import OPTIMISERS, SCHEDULES
from seqlab.rnn.settings import TrainingSettings
from seqlab.text.cleaning import CLEANING
from seqlab.text.definitions import load_corpora
from seqlab.text.partition import MODES
from seqlab.text.splits import NAMES
from seqlab.text.tokens import UNITS

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
CORPORA = load_corpora(ROOT / "config/corpora.yaml")
SHIPPED = sorted(
    path.name for path in (ROOT / "config").glob("*.yaml") if path.name not in ("corpora.yaml", "series.yaml")
)
TRAINING = SCHEMA["properties"]["rnn"]["properties"]["training"]["properties"]
DIVIDED = {"kind": "files", "files": {name: f"{name}.txt" for name in NAMES}, "title": "Divided", "licence": "none"}
DIVIDED |= {"cleaning": "none", "units": ["char"]}
REMOVED = object()


def changed(place: str, value: object) -> dict:
    """The default configuration with another value at `place`, such as rnn.hidden."""
    config = copy.deepcopy(DEFAULT)
    *blocks, key = place.split(".")
    block = config
    for name in blocks:
        block = block[name]
    block[key] = value
    if value is REMOVED:
        del block[key]
    return config


def refusal(config: dict) -> str:
    """The message with which a configuration is refused."""
    with pytest.raises(InputError) as caught:
        check_configuration(config, SCHEMA)
    return str(caught.value)


def allows(place: str, value: object) -> bool:
    try:
        check_configuration(changed(place, value), SCHEMA)
    except InputError:
        return False
    return True


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configurations_are_right(name):
    config = copy.deepcopy(DEFAULT)
    update_config(config, yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8")))
    check_configuration(config, SCHEMA)
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
        "unknown key 'split.zzz'; allowed are block, kind, streams, test, train, valid"
    )


@pytest.mark.parametrize("place", ["rnn", "rnn.seeds", "split.valid", "vocab.min_freq.word", "tracking.uri"])
def test_a_missing_key_is_named(place):
    assert f"lacks the key {place!r}" in refusal(changed(place, REMOVED))


@pytest.mark.parametrize(
    ("place", "value", "named", "allowed"),
    [
        ("rnn.hidden", [-1], "'rnn.hidden.0' is -1", "at least 1"),
        ("rnn.hidden", [2.5], "'rnn.hidden.0' is 2.5", "a whole number"),
        ("rnn.hidden", 64, "'rnn.hidden' is 64", "a list"),
        ("rnn.hidden", [8, 8], "'rnn.hidden' is [8, 8]", "a list in which nothing stands twice"),
        ("rnn.seeds", [], "'rnn.seeds' is []", "a list of at least 1"),
        ("rnn.cells", ["mamba"], "'rnn.cells.0' is 'mamba'", "one of rnn, gru, lstm"),
        ("rnn.training.learning_rate", 0, "'rnn.training.learning_rate' is 0", "above 0"),
        ("rnn.training.learning_rate", "1e-3", "'rnn.training.learning_rate' is '1e-3'", "a number"),
        ("rnn.training.dropout", 1.0, "'rnn.training.dropout' is 1.0", "below 1"),
        ("rnn.training.schedule_factor", 2, "'rnn.training.schedule_factor' is 2", "at most 1"),
        ("rnn.training_by_unit.word", {"epochs": 0}, "'rnn.training_by_unit.word.epochs' is 0", "at least 1"),
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
    with pytest.raises(InputError, match=r"'markov_chain' has no unit of .*'word'.*; it has .*'char'"):
        check_corpora(changed("corpora", ["markov_chain"]) | {"units": ["word"]}, CORPORA)


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
    assert SCHEMA["properties"]["rnn"]["properties"]["training_by_unit"]["properties"][unit]["properties"] == TRAINING


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name, rule in TRAINING.items()
        for value in {"integer": (-1, 0, 1, 2), "number": (-1, 0, 0.5, 1, 1.5)}.get(rule.get("type"), ())
    ],
)
def test_schema_and_training_settings_allow_the_same_numbers(name, value):
    try:
        TrainingSettings(**{name: value})
    except InputError:
        assert not allows(f"rnn.training.{name}", value)
    else:
        assert allows(f"rnn.training.{name}", value)


@pytest.mark.parametrize(
    ("rule", "implemented"),
    [
        (TRAINING["partition"], MODES),
        (TRAINING["optimiser"], OPTIMISERS),
        (TRAINING["schedule"], SCHEDULES),
        (SCHEMA["properties"]["rnn"]["properties"]["cells"]["items"], CELLS),
        (SCHEMA["properties"]["ngram"]["items"]["properties"]["smoothing"], SMOOTHINGS),
        (SCHEMA["properties"]["compressors"]["items"], COMPRESSORS),
        (SCHEMA["properties"]["cleaning"], CLEANING),
        (SCHEMA["properties"]["units"]["items"], UNITS),
    ],
    ids=["partition", "optimiser", "schedule", "cells", "smoothing", "compressors", "cleaning", "units"],
)
def test_schema_allows_exactly_what_is_implemented(rule, implemented):
    assert sorted(rule["enum"]) == sorted(implemented)


def test_numbers_given_as_texts_become_numbers_where_the_schema_wants_them():
    schema = {
        "properties": {
            "shards": {"type": "integer"},
            "rates": {"type": "array", "items": {"type": "number"}},
            "name": {"type": "string"},
        }
    }
    given = {"shards": "3", "rates": ["1e-7", 2], "name": "7", "other": "8"}
    assert with_numbers(given, schema) == {"shards": 3, "rates": [1e-7, 2], "name": "7", "other": "8"}
    assert with_numbers({"shards": "three"}, schema) == {"shards": "three"}


def test_ngrams_are_named_after_smoothing_order_and_pruning() -> None:
    prune = [{"entropy": 1e-7}, {"entropy": 0.25}, {"entropy": 2e5}, {"counts": [1, 1, 2]}]
    runs = ngram_runs([{"smoothing": "mkn", "orders": [3, 12], "prune": prune}, {"smoothing": "mle", "orders": [1]}])
    ways = ["", "-entropy-1e-7", "-entropy-0.25", "-entropy-200000", "-counts-1-1-2"]
    assert list(runs) == [f"mkn-{order}{way}" for order in (3, 12) for way in ways] + ["mle-1"]
    assert runs["mkn-12-entropy-1e-7"] == {"smoothing": "mkn", "order": 12, "prune": {"entropy": 1e-7}}
    assert runs["mkn-12"] == {"smoothing": "mkn", "order": 12}


def test_a_threshold_that_yaml_takes_for_a_text_is_a_number() -> None:
    config = {"ngram": [{"smoothing": "mkn", "orders": [3], "prune": [{"entropy": "1e-7"}]}]}
    assert with_numbers(config, SCHEMA)["ngram"][0]["prune"] == [{"entropy": 1e-7}]


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


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_every_smoothing_is_known_to_back_off_or_not(smoothing: str) -> None:
    text = [np.array([1, 2, 1, 2, 2, 1, 1])]
    assert estimate(smoothing, text, 2, 3, valid=text).model.backs_off == (smoothing not in NOT_BACKING_OFF)

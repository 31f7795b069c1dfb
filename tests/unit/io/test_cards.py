"""The card of a run, written and read."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.cards import add_run_arguments, begin_run, read_card, write_card
from seqlab.io.errors import InputError
from seqlab.io.provenance import sha256_of

CARD = {
    "corpus": "time_machine",
    "unit": "char",
    "family": "rnn",
    "model": "lstm-1x64",
    "settings": {"cell": "lstm", "layers": 1, "hidden": 64, "learning_rate": 0.004},
    "seeds": [1, 2],
    "data": {"ids": "a" * 64, "splits": "b" * 64, "vocab": "1" * 64},
}
settings = st.fixed_dictionaries(
    {},
    optional={
        "learning_rate": st.floats(min_value=0, exclude_min=True, allow_infinity=False),
        "epochs": st.integers(min_value=1),
        "random_steps": st.booleans(),
        "schedule": st.sampled_from(["constant", "cosine"]),
    },
)


@given(settings)
def test_a_card_survives_the_round_trip(tmp_path_factory, chosen):
    path = tmp_path_factory.getbasetemp() / "card.yaml"
    write_card(path, CARD | {"settings": CARD["settings"] | chosen})
    assert read_card(path) == CARD | {"settings": CARD["settings"] | chosen}


def test_the_same_card_is_the_same_file_whatever_the_order_of_its_keys(tmp_path):
    write_card(tmp_path / "one.yaml", CARD)
    write_card(tmp_path / "other.yaml", dict(reversed(CARD.items())))
    assert (tmp_path / "one.yaml").read_bytes() == (tmp_path / "other.yaml").read_bytes()


def test_keys_stand_in_the_order_of_the_contract(tmp_path):
    write_card(tmp_path / "card.yaml", CARD)
    assert tuple(yaml.safe_load((tmp_path / "card.yaml").read_text(encoding="utf-8"))) == tuple(CARD)


@pytest.mark.parametrize("key", CARD)
def test_a_card_that_lacks_a_key_is_refused(tmp_path, key):
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump({name: CARD[name] for name in CARD if name != key}), encoding="utf-8")
    with pytest.raises(InputError, match=rf"card\.yaml is damaged \(key '{key}' is missing"):
        read_card(path)


@pytest.mark.parametrize("content", [b"", b"- 1\n", b"corpus: [", b"\xff\xfe", b"a: 1\n"])
def test_what_is_no_card_is_refused(tmp_path, content):
    path = tmp_path / "card.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"card\.yaml is damaged"):
        read_card(path)


def test_a_card_with_a_further_key_is_refused(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(CARD | {"more": 1}), encoding="utf-8")
    with pytest.raises(InputError, match="key 'more' is unknown"):
        read_card(path)


RUN = {key: value for key, value in CARD.items() if key != "data"}


def arguments(folder: Path, run: object = RUN) -> Namespace:
    """What a program that makes a run is given, with a file of ids."""
    parser = ArgumentParser()
    add_run_arguments(parser, "ids")
    (folder / "ids.npy").write_bytes(b"ids")
    line = ["--run", json.dumps(run), "--ids", str(folder / "ids.npy"), "--folder", str(folder / "made/lstm-1x64")]
    return parser.parse_args(line)


def test_a_run_begins_with_its_card_in_its_folder(tmp_path):
    card = begin_run(arguments(tmp_path), "rnn", "ids")
    assert card == RUN | {"data": {"ids": sha256_of(tmp_path / "ids.npy")}}
    assert read_card(tmp_path / "made/lstm-1x64/card.yaml", "rnn", ids=tmp_path / "ids.npy") == card
    assert sorted(path.name for path in (tmp_path / "made/lstm-1x64").iterdir()) == [".card.yaml.sha256", "card.yaml"]


def test_a_run_on_a_series_has_a_card_too(tmp_path):
    run = {
        "series": "tides",
        "family": "forecast",
        "model": "autoregression",
        "settings": {"max_order": 3},
        "seeds": [],
    }
    card = begin_run(arguments(tmp_path, run), "forecast", "ids", needed=["max_order"])
    assert card == run | {"data": {"ids": sha256_of(tmp_path / "ids.npy")}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"corpus": None}, "'corpus' is None"),
        ({"model": "../evil"}, r"'model' is '\.\./evil'"),
        ({"model": "n" * 300}, "'model' is 'nnn"),
        ({"settings": []}, r"'settings' is \[\]"),
        ({"settings": CARD["settings"] | {"cell": 1}}, "'settings.cell' is 1"),
        ({"settings": CARD["settings"] | {"cell": ["lstm"]}}, "'settings.cell' is .'lstm'."),
        ({"settings": CARD["settings"] | {"hidden": "64"}}, "'settings.hidden' is '64'"),
        ({"settings": CARD["settings"] | {"dropout": 1.0}}, "'settings.dropout' is 1.0; it must be below 1"),
        ({"settings": CARD["settings"] | {"dropot": 0.5}}, "'settings.dropot' is unknown; did you mean 'dropout'"),
        ({"seeds": []}, r"'seeds' is \[\]"),
        ({"seeds": [True]}, "'seeds.0' is True"),
        ({"date": "today"}, "'date' is unknown"),
    ],
)
def test_a_run_that_can_not_be_is_refused_before_anything_is_written(tmp_path, change, told):
    with pytest.raises(InputError, match=rf"^--run: key {told}.*"):
        begin_run(arguments(tmp_path, RUN | change), "rnn", "ids")
    assert not (tmp_path / "made").exists()


def test_a_run_of_another_family_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match="--run is of family rnn; pass a run of family compressor"):
        begin_run(arguments(tmp_path), "compressor", "ids")
    with pytest.raises(InputError, match="--run lacks the setting clip"):
        begin_run(arguments(tmp_path), "rnn", "ids", needed=["cell", "clip"])
    assert not (tmp_path / "made").exists()


def test_a_run_on_a_file_that_is_not_there_is_refused_before_anything_is_written(tmp_path):
    given = arguments(tmp_path)
    (tmp_path / "ids.npy").unlink()
    with pytest.raises(FileNotFoundError):
        begin_run(given, "rnn", "ids")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("run", ["{", "[]", "null", json.dumps({"family": "rnn", "model": "m", "settings": {}})])
def test_what_is_no_run_is_a_usage_error(tmp_path, run, capsys):
    parser = ArgumentParser()
    add_run_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--run", run, "--folder", str(tmp_path)])
    assert "argument --run: " in capsys.readouterr().err


def test_a_card_of_a_long_name_of_a_model_is_read(tmp_path):
    card = CARD | {"model": f"lstm-1x64-dropout~0.3-{'k' * 170}~1e-5"}
    write_card(tmp_path / "card.yaml", card)
    assert read_card(tmp_path / "card.yaml") == card

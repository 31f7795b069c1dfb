"""Presets: which one an experiment has, by the size of its text and by name."""

from pathlib import Path

import pytest
import yaml

from seqlab.configuration import check_configuration
from seqlab.io.errors import InputError
from seqlab.presets import choose_preset

CONFIG = Path(__file__).parents[2] / "config"
SHIPPED = yaml.safe_load((CONFIG / "presets.yaml").read_text(encoding="utf-8"))
DEFAULT = yaml.safe_load((CONFIG / "config.yaml").read_text(encoding="utf-8"))
PRESETS = {
    "small": {"characters": 10, "rnn": {"hidden": 8}},
    "medium": {"characters": 100, "rnn": {"hidden": 16}},
    "large": {"rnn": {"hidden": 32}},
}


@pytest.mark.parametrize(
    ("size", "name"), [(0, "small"), (10, "small"), (11, "medium"), (100, "medium"), (101, "large")]
)
def test_a_text_of_the_user_has_the_smallest_preset_that_it_is_not_too_large_for(tmp_path, size, name):
    text = tmp_path / "my.txt"
    text.write_bytes(b"a" * size)
    preset = choose_preset({"corpus": str(text)}, PRESETS)
    assert (preset.name, preset.settings) == (name, {"rnn": PRESETS[name]["rnn"]})
    assert f"preset {name}" in preset.note and f"{size:,} bytes" in preset.note


def test_the_size_of_a_folder_is_that_of_its_three_splits(tmp_path):
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.txt").write_text("four")
    assert choose_preset({"corpus": str(tmp_path)}, PRESETS).name == "medium"


@pytest.mark.parametrize(
    "overrides", [{}, {"corpora": ["time_machine"]}, {"corpus": "time_machine"}, {"corpus": "my.txt", "preset": "none"}]
)
def test_other_experiments_have_none(overrides, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my.txt").write_text("a text")
    assert choose_preset(overrides, PRESETS).settings == {} and choose_preset(overrides, PRESETS).note == ""


def test_a_preset_may_be_named():
    assert choose_preset({"preset": "large"}, PRESETS).settings == {"rnn": {"hidden": 32}}
    with pytest.raises(InputError, match=r"'preset' is 'larg'; use one of auto, none, small, medium, large"):
        choose_preset({"preset": "larg"}, PRESETS)


def test_shipped_presets_rise_and_are_possible_configurations():
    limits = [block.get("characters") for name, block in SHIPPED.items() if name != "default"]
    assert limits[-1] is None and limits[:-1] == sorted(limits[:-1])
    for name in SHIPPED:
        settings = choose_preset({"preset": name}, SHIPPED).settings
        assert list(settings) == ["rnn"]
        training = DEFAULT["rnn"]["training"] | settings["rnn"].get("training", {})
        check_configuration(DEFAULT | {"rnn": DEFAULT["rnn"] | settings["rnn"] | {"training": training}})


def test_an_experiment_without_networks_of_its_own_has_the_default_ones():
    presets = {"default": {"rnn": {"hidden": 64}}} | PRESETS
    assert choose_preset({"corpora": ["a"]}, presets).name == "default"
    assert choose_preset({"corpora": ["a"], "rnn": {"cells": "gru"}}, presets).name == "none"

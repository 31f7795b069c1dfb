"""The section forecast: which models it makes, a series given on the command line, and what is refused."""

import copy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from seqlab.configuration import check_configuration, check_corpora, resolve_corpora
from seqlab.fleet.cells import CELLS
from seqlab.fleet.settings import TrainingSettings
from seqlab.io.errors import InputError
from seqlab.io.schemas import read_schema
from seqlab.series.definitions import (
    add_series,
    check_series,
    define_series_of_file,
    list_columns,
    list_forecast_runs,
    longest_needs,
    prepared_series_name,
)
from seqlab.text.definitions import load_corpora

ROOT = Path(__file__).parents[3]
SCHEMA = read_schema("config")
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
SERIES = yaml.safe_load((ROOT / "config/series.yaml").read_text(encoding="utf-8"))
FORECAST = SCHEMA["properties"]["forecast"]["properties"]


def changed(**values: object) -> dict:
    config = copy.deepcopy(DEFAULT)
    config["forecast"] |= values
    return config


def test_the_default_experiment_forecasts_nothing() -> None:
    assert DEFAULT["forecast"]["series"] == []


def test_the_shipped_experiments_forecast_every_shipped_series() -> None:
    files = [ROOT / "config/forecast.yaml", ROOT / "config/us_economy.yaml"]
    shipped = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    assert sorted(name for config in shipped for name in config["forecast"]["series"]) == sorted(SERIES)
    assert all(config["corpora"] == [] for config in shipped)


def test_networks_are_a_perceptron_and_the_cells_of_the_text_branch() -> None:
    assert FORECAST["networks"]["enum"] == ["mlp", *CELLS]


def test_the_keys_of_training_are_those_of_the_program() -> None:
    names = [field.name for field in fields(TrainingSettings)]
    assert list(FORECAST["training"]["properties"]) == list(DEFAULT["forecast"]["training"]) == names


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"horizons": [4]}, "'forecast.horizons' is .4.; it must be a list with 1 in it"),
        ({"networks": ["transformer"]}, "'forecast.networks.0' is 'transformer'; it must be one of mlp, rnn"),
        ({"max_order": 0}, "'forecast.max_order' is 0; it must be at least 1"),
        ({"seed": [1]}, "key 'forecast.seed' is unknown; did you mean 'seeds'"),
    ],
)
def test_a_wrong_key_is_named(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        check_configuration(changed(**values))


def test_an_unknown_series_is_named() -> None:
    with pytest.raises(InputError, match=r"series 'sunspot' is unknown; config/series\.yaml has .*sunspots"):
        check_series(changed(series=["sunspot"]), SERIES)


def test_shares_add_up_to_one() -> None:
    with pytest.raises(InputError, match=r"shares of 'forecast.split' add up to 1.2"):
        check_series(changed(split={"train": 0.5, "valid": 0.4, "test": 0.3}), SERIES)


def test_an_experiment_without_anything_is_refused() -> None:
    with pytest.raises(InputError, match=r"'corpora' and 'forecast.series' are empty"):
        check_corpora(changed() | {"corpora": []}, {})


def test_models_of_a_series() -> None:
    section = DEFAULT["forecast"] | {"networks": ["mlp", "gru"], "layers": [1, 2], "hidden": [8]}
    runs = list_forecast_runs(section, {"period": 12})
    assert list(runs) == ["persistence", "seasonal-persistence", "autoregression", "mlp-1x8", "mlp-2x8", "gru-1x8",
                          "gru-2x8"]  # fmt: skip
    assert runs["gru-2x8"]["seeds"] == section["seeds"]
    assert "seasonal-persistence" not in list_forecast_runs(section, {})


def test_networks_of_a_series_have_axes_too() -> None:
    training = DEFAULT["forecast"]["training"] | {"clip": [1.0, 0.5]}
    section = DEFAULT["forecast"] | {"networks": "gru", "layers": 1, "hidden": [8, 16], "training": training}
    runs = list_forecast_runs(section, {})
    assert list(runs)[2:] == ["gru-1x8", "gru-1x8-clip~0.5", "gru-1x16", "gru-1x16-clip~0.5"]
    assert runs["gru-1x16-clip~0.5"]["settings"] == training | {"cell": "gru", "layers": 1, "hidden": 16, "clip": 0.5}


def test_a_series_needs_what_its_longest_model_needs() -> None:
    section = DEFAULT["forecast"] | {"training": DEFAULT["forecast"]["training"] | {"steps": [32, 64, 16]}}
    assert longest_needs(section) == {"order": 60, "horizon": 64, "steps": 64}
    assert longest_needs(section | {"networks": []})["steps"] == 0


def test_a_series_that_is_cut_otherwise_or_needs_more_has_a_folder_of_its_own() -> None:
    usual = DEFAULT["forecast"]
    assert prepared_series_name(copy.deepcopy(usual) | {"hidden": [999], "seeds": [7]}, usual) == "series"
    changes = [{"split": {"train": 0.6, "valid": 0.2, "test": 0.2}}, {"max_order": 70}, {"horizons": [1, 99]}]
    names = {prepared_series_name(usual | change, usual) for change in changes}
    assert len(names) == 3
    assert all(name.startswith("series-") for name in names)


def test_a_file_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "my tides.csv"
    path.write_text("day,height\n1,2\n")
    names, series = define_series_of_file({"series": str(path), "column": "height", "period": 12}, SERIES)
    assert names == ["my_tides_height"]
    assert series[names[0]]["column"] == "height"
    assert series[names[0]]["period"] == 12
    assert define_series_of_file({"series": "sine"}, SERIES) == (["sine"], SERIES)


def test_a_file_named_like_a_shipped_series_is_told_from_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/sine.csv").write_text("x\n1\n")
    assert define_series_of_file({"series": str(tmp_path / "mine/sine.csv")}, SERIES)[0] == ["mine_sine"]


@pytest.mark.parametrize(("value", "name"), [(2020, "2020"), (20.5, "20.5"), (True, "True"), ("price", "price")])
def test_a_name_that_snakemake_takes_for_a_number_is_a_name(tmp_path: Path, value: object, name: str) -> None:
    (tmp_path / name).write_text("day,2020\n")
    config = copy.deepcopy(DEFAULT) | {"series": str(tmp_path / name), "column": value}
    resolve_corpora(config, load_corpora(ROOT / "config/corpora.yaml"))
    (series,), blocks = define_series_of_file(config, SERIES)
    assert blocks[series]["column"] == name


@pytest.mark.parametrize("key", ["corpus", "series"])
def test_a_file_whose_name_is_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1984").write_text("text")
    config = copy.deepcopy(DEFAULT) | {key: 1984}
    resolve_corpora(config, load_corpora(ROOT / "config/corpora.yaml"))
    assert config[key] == "1984"


def test_a_series_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my.csv").write_text("day,value\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    (name,), blocks = define_series_of_file({"series": "~/my.csv"}, SERIES)
    assert blocks[name]["path"] == str(tmp_path / "my.csv")


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"series 'x\.csv' is neither a CSV file nor a name"):
        define_series_of_file({"series": "x.csv"}, SERIES)


def test_columns_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "river.csv"
    path.write_text("day,2020,level,rain\n")
    config = copy.deepcopy(DEFAULT) | {"series": str(path), "columns": [2020, "level"], "exogenous": ["rain"]}
    resolve_corpora(config, load_corpora(ROOT / "config/corpora.yaml"))
    series = add_series(config, SERIES)
    (name,) = config["forecast"]["series"]
    assert name == "river_2020_level"
    assert list_columns(series[name]) == (["2020", "level"], ["rain"])
    assert series[name]["source"].endswith("river.csv, columns 2020, level, exogenous rain")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"columns": ["a", "b", "a"]}, "'columns' is .'a', 'b', 'a'.; it must be a list without duplicates"),
        ({"columns": []}, "'columns' is ..; it must be a list of at least 1"),
        ({"columns": "flow"}, "'columns' is 'flow'; it must be a list"),
        (
            {"columns": ["a", "b"], "exogenous": ["b"]},
            "column 'b' of series .* is both in columns and in exogenous",
        ),
        ({"exogenous": ["b"]}, "has exogenous columns and no columns to forecast; name these, as in columns: .price."),
        ({"column": "a", "exogenous": ["b"]}, "has exogenous columns and no columns to forecast"),
        ({"column": "a", "columns": ["a", "b"]}, "has both column and columns; write all names in columns"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(tmp_path: Path, keys: dict[str, Any], sentence: str) -> None:
    (tmp_path / "river.csv").write_text("day,a,b\n")
    config = copy.deepcopy(DEFAULT) | {"series": str(tmp_path / "river.csv")} | keys
    with pytest.raises(InputError, match=sentence):
        resolve_corpora(config, load_corpora(ROOT / "config/corpora.yaml"))
        add_series(config, SERIES)


@pytest.mark.parametrize("keys", [{}, {"series": "us_economy"}])
def test_columns_of_a_named_series_belong_into_its_block(keys: dict[str, str]) -> None:
    config = copy.deepcopy(DEFAULT) | keys | {"columns": ["realgdp", "realinv"]}
    with pytest.raises(InputError, match=r"key 'columns' is for a series that the key series gives as a file; for a"):
        add_series(config, SERIES)


def test_every_column_has_a_unit() -> None:
    block = {"kind": "csv", "path": "x.csv", "columns": ["a", "b"], "unit": ["m", "s", "l"]}
    with pytest.raises(InputError, match="series x has 3 units for 2 columns; give one for each column"):
        check_series(changed(series=["x"]), {"x": block})

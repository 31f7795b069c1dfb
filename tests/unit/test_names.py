"""Names become folders and arguments: whatever a configuration calls a thing, nothing leads out of results/."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from seqlab.configuration import check_corpora, checked, corpus_of_text, mixture_runs
from seqlab.errors import InputError
from seqlab.forecast.definitions import check_series, series_of_file, with_series
from seqlab.forecast.series import build_series
from seqlab.names import check_address
from seqlab.text.definitions import load_corpora

ROOT = Path(__file__).parents[2]
SCHEMA, DEFAULT, SERIES = (
    yaml.safe_load((ROOT / path).read_text())
    for path in ("workflow/schemas/config.schema.yaml", "config/config.yaml", "config/series.yaml")
)
CORPORA = load_corpora(ROOT / "config/corpora.yaml")
EVIL = {
    "above": "../../evil",
    "absolute": "/tmp/seqlab-evil",
    "the folder": ".",
    "the one above": "..",
    "a folder below": "a/b",
    "command": "$(touch evil)",
    "command in backticks": "`touch evil`",
    "second command": "a;touch evil",
    "option": "-rf",
    "long option": "--help",
    "file of arguments": "@names",
    "5,000 characters": "n" * 5000,
    "NUL": "a\0b",
    "line end": "a\nb",
    "line end at the end": "a\n",
    "blank": "a b",
    "quotes": "'\"",
    "wildcard of Snakemake": "{wildcards.corpus}",
    "path variable of Snakemake": "<results>",
    "markup": "<script>alert(1)</script>",
    "Cyrillic letter": "\u0430dmin",
    "ligature": "\ufb01le",
    "written from right to left": "a\u202eb",
    "no width": "a\u200bb",
    "no character": "a\udcffb",
    "percent signs": "%2e%2e%2fevil",
    "drive": "c:evil",
}
BLOCK = {"title": "T", "licence": "none", "cleaning": "none", "units": ["char"], "kind": "path", "path": "a.txt"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def configuration(overlay: dict[str, Any], corpora: dict[str, Any] = CORPORA, series: dict[str, Any] = SERIES) -> None:
    """What the rules do with a configuration before they name a file."""
    config = copy.deepcopy(DEFAULT)
    update_config(config, overlay)
    checked(config, SCHEMA, corpora)
    with_series(config, series)
    mixture_runs(config["mixtures"], {("ngram", "mkn-1"): {"seeds": []}, ("rnn", "rnn-1x8"): {"seeds": [1, 2]}})


PLACES = {
    "block of a corpus": lambda name: configuration({"corpora": [name]}, CORPORA | {name: BLOCK}),
    "corpora": lambda name: configuration({"corpora": [name]}),
    "corpus": lambda name: configuration({"corpus": name}),
    "block of a series": lambda name: configuration({"forecast": {"series": [name]}}, series={name: SERIES["sine"]}),
    "forecast.series": lambda name: configuration({"forecast": {"series": [name]}}),
    "series": lambda name: configuration({"series": name}),
    "series of a program": lambda name: build_series(name, SERIES["sine"]),
    "mixture": lambda name: configuration({"mixtures": {name: ["best ngram", "best rnn"]}}),
    "part of a mixture": lambda name: configuration({"mixtures": {"mine": [name, "best rnn"]}}),
}
CHOICES = {  # where the schema has a list of what is allowed
    "smoothing": lambda name: configuration({"ngram": [{"smoothing": name, "orders": [1]}]}),
    "unit": lambda name: configuration({"units": [name]}),
    "cell": lambda name: configuration({"rnn": {"cells": [name]}}),
    "network of series": lambda name: configuration({"forecast": {"networks": [name]}}),
    "compressor": lambda name: configuration({"compressors": [name]}),
    "device": lambda name: configuration({"rnn": {"device": name}}),
    "key": lambda name: configuration({name: 1}),
}


@pytest.mark.parametrize("name", EVIL.values(), ids=EVIL)
@pytest.mark.parametrize("place", PLACES)
def test_a_name_that_is_none_is_refused_in_a_sentence(place: str, name: str) -> None:
    with pytest.raises(InputError) as refused:
        PLACES[place](name)
    assert len(str(refused.value)) < 700 and "\0" not in str(refused.value)


@pytest.mark.parametrize("place", CHOICES)
def test_what_is_no_choice_is_refused(place: str) -> None:
    for name in (EVIL["above"], EVIL["line end at the end"], EVIL["5,000 characters"]):
        with pytest.raises(InputError) as refused:
            CHOICES[place](name)
        assert len(str(refused.value)) < 700


UNREADABLE = ["wildcard of Snakemake", "path variable of Snakemake", "line end", "line end at the end", "no character"]
NO_FILE = ["above", "absolute", "the folder", "the one above", "a folder below", "5,000 characters", "NUL", "markup"]


def files(folder: Path) -> list[str]:
    """Files with every name of EVIL that a file can have and Snakemake can read."""
    folder.mkdir()
    paths = [folder / name for kind, name in EVIL.items() if kind not in UNREADABLE + NO_FILE]
    for path in paths:
        path.write_text("time,value\n1,2\n")
    return list(map(str, paths))


def test_the_name_of_a_text_is_made_of_letters_whatever_its_file_is_called(tmp_path: Path) -> None:
    made = [corpus_of_text(path, None, {})[0] for path in files(tmp_path / "texts")]
    assert len(made) == len(EVIL) - 13 and [names for names in made if not NAME.fullmatch(names[0])] == []


def test_the_name_of_a_series_is_made_of_letters_whatever_file_and_column_are_called(tmp_path: Path) -> None:
    paths = files(tmp_path / "series")
    made = [series_of_file({"series": path, "column": name}, {})[0] for path in paths for name in EVIL.values()]
    assert [names for names in made if not NAME.fullmatch(names[0])] == []


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("key", ["corpus", "series"])
def test_a_file_that_snakemake_can_not_name_is_refused(tmp_path: Path, key: str, kind: str) -> None:
    path = tmp_path / EVIL[kind]
    path.write_text("time,value\n1,2\n")
    with pytest.raises(InputError, match=r"which Snakemake can't read; rename it"):
        configuration({key: str(path)})


def test_a_text_may_not_take_the_folder_of_series_from_a_block_either() -> None:
    with pytest.raises(InputError, match=r"results/forecast is the folder of series; rename it"):
        check_corpora(DEFAULT | {"corpora": ["forecast"]}, {"forecast": BLOCK})


def test_names_as_people_choose_them_are_taken() -> None:
    names = ["a", "War_and-Peace2", "n" * 100]
    check_corpora(DEFAULT | {"corpora": names}, dict.fromkeys(names, BLOCK))
    check_series(DEFAULT | {"forecast": DEFAULT["forecast"] | {"series": names}}, dict.fromkeys(names, SERIES["sine"]))
    configuration({"mixtures": {"my.mixture-1": ["best ngram", "best rnn"]}})


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:5000", "https://there/a@b:c", "sqlite:////a:b@c/mlflow.db",
                                     "postgresql://me@there/runs", "https://there?x=a:b@c"])  # fmt: skip
def test_an_address_without_a_password_is_one(address: str) -> None:
    check_address(address, "tracking.uri")


@pytest.mark.parametrize("address", ["http://me:secret@there", "https://secret@there:5000/x", "mysql+pymysql://me:secret@a/b",
                                     "postgresql://me:secret@@there/x", "HTTP://secret@there"])  # fmt: skip
def test_an_address_with_a_password_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(InputError, match=r"tracking\.uri holds a name or a password") as refused:
        check_address(address, "tracking.uri")
    assert "secret" not in str(refused.value)

"""Names become folders and arguments: whatever a configuration calls a thing, nothing leads out of results/."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.utils import update_config

from seqlab.configuration import check_corpora, define_corpus, mixture_runs, resolve_corpora
from seqlab.io.errors import InputError
from seqlab.io.files import write_json
from seqlab.io.names import append_digest, check_address, check_name, name_corpus
from seqlab.io.runs import SERIES as SERIES_UNIT
from seqlab.io.runs import choose_experiment_name
from seqlab.series.definitions import add_series, check_series, define_series_of_file
from seqlab.series.series import build_series
from seqlab.text.definitions import load_corpora

ROOT = Path(__file__).parents[3]
DEFAULT, SERIES = (yaml.safe_load((ROOT / path).read_text()) for path in ("config/config.yaml", "config/series.yaml"))
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
    "written from right to left": "a\u202eb",
    "no width": "a\u200bb",
    "no character": "a\udcffb",
    "percent signs": "%2e%2e%2fevil",
    "drive": "c:evil",
}
BLOCK = {"title": "T", "licence": "none", "cleaning": "none", "units": ["char"], "kind": "path", "path": "a.txt"}
OTHER_LETTERS = ["\u66f8", "\u0430\u0434\u043c\u0438\u043d", "\ufb01le", "caf\u00e9", "\U00010330" * 60, "\u0661"]
NAME = re.compile(r"[^\W_][\w-]{0,99}")


def configuration(overlay: dict[str, Any], corpora: dict[str, Any] = CORPORA, series: dict[str, Any] = SERIES) -> None:
    """What the rules do with a configuration before they name a file."""
    config = copy.deepcopy(DEFAULT)
    update_config(config, overlay)
    resolve_corpora(config, corpora)
    add_series(config, series)
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
    "experiment": lambda name: choose_experiment_name(name, []),
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
    made = [define_corpus(path, None, {})[0] for path in files(tmp_path / "texts")]
    assert (
        len(made) == len(EVIL) - len(UNREADABLE + NO_FILE)
        and [names for names in made if not NAME.fullmatch(names[0])] == []
    )


def test_the_name_of_a_series_is_made_of_letters_whatever_file_and_column_are_called(tmp_path: Path) -> None:
    paths = files(tmp_path / "series")
    made = [define_series_of_file({"series": path, "column": name}, {})[0] for path in paths for name in EVIL.values()]
    assert [names for names in made if not NAME.fullmatch(names[0])] == []


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("key", ["corpus", "series"])
def test_a_file_that_snakemake_can_not_name_is_refused(tmp_path: Path, key: str, kind: str) -> None:
    path = tmp_path / EVIL[kind]
    path.write_text("time,value\n1,2\n")
    with pytest.raises(InputError, match=r"which Snakemake can't read; rename it"):
        configuration({key: str(path)})


def test_names_as_people_choose_them_are_taken() -> None:
    names = ["a", "War_and-Peace2", "n" * 100, "forecast", "\u66f8", "caf\u00e9"]
    check_corpora(DEFAULT | {"corpora": names}, dict.fromkeys(names, BLOCK))
    check_series(DEFAULT | {"forecast": DEFAULT["forecast"] | {"series": names}}, dict.fromkeys(names, SERIES["sine"]))
    configuration({"mixtures": {"my.mixture-1": ["best ngram", "best rnn"]}})


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepare(path: str, **more: Any) -> str:
    """The name of the corpus that is made of the file `path`, which is then prepared."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("text")
    (name,), corpora = define_corpus(path, more.get("cleaning"), more.get("corpora", {}))
    write_json(Path("results/corpora", name, "source.json"), {"title": "", "source": corpora[name]["source"]})
    return name


def prepare_series(path: str, folder: str = SERIES_UNIT, **config: Any) -> str:
    """The name of the series that is made of the file `path`, which is then prepared in `folder`."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("time,value\n1,2\n")
    (name,), series = define_series_of_file(config | {"series": path}, {})
    write_json(Path("results/corpora", name, folder, "source.json"), {"title": "", "source": series[name]["source"]})
    return name


def test_files_of_one_name_in_different_folders_never_share_a_name(workplace: Path) -> None:
    names = [prepare(f"{folder}/input.txt") for folder in ("a", "b", "c/b", "d/b", "e/b")]
    assert names[:3] == ["input", "b_input", names[2]]
    assert re.fullmatch("input-[0-9a-f]{8}", names[2])
    assert len(set(names)) == len(names)


def test_the_same_file_keeps_its_name_however_it_is_called_and_whatever_came_since(workplace: Path) -> None:
    paths = ["a/input.txt", "b/input.txt", "c/b/input.txt"]
    names = [prepare(path) for path in paths]
    for spelled in (
        str,
        lambda path: f"./{path}",
        lambda path: str(Path(path).absolute()),
        lambda path: f"a/../{path}",
    ):
        assert [prepare(spelled(path)) for path in paths] == names
    assert [prepare(path) for path in reversed(paths)] == names[::-1]


def test_names_that_differ_in_what_is_replaced_keep_apart(workplace: Path) -> None:
    names = [prepare(f"a/{name}.txt") for name in ("my text", "my_text", "my (text)", "my  text", "-my_text-")]
    assert names[:2] == ["my_text", "a_my_text"]
    assert len(set(names)) == len(names)
    assert all(name.startswith(("my_text", "a_my_text")) for name in names)


def test_names_of_other_scripts_stay_readable_and_apart(workplace: Path) -> None:
    names = [prepare(f"a/{name}.txt") for name in ("\u66f8", "\u672c", "caf\u00e9", "\u2026", "\u2042")]
    assert names == ["\u66f8", "\u672c", "caf\u00e9", "text", "a_text"]


def test_a_name_written_with_separate_accents_is_that_of_the_same_letters(workplace: Path) -> None:
    assert prepare("cafe\u0301.txt") == "caf\u00e9"


@pytest.mark.parametrize("letters", OTHER_LETTERS)
def test_letters_of_every_script_make_names_that_can_be_folders(workplace: Path, letters: str) -> None:
    for name in (prepare(f"a/{letters}.txt"), prepare(f"b/{letters}.txt"), prepare(f"c/b/{letters}.txt")):
        check_name("corpus", name)


def test_a_name_of_a_block_is_not_taken(workplace: Path) -> None:
    names = [prepare(f"{folder}/novel.txt", corpora={"novel": BLOCK}) for folder in ("a", "c/a")]
    assert names[0] == "a_novel"
    assert re.fullmatch("novel-[0-9a-f]{8}", names[1])


def test_a_text_that_is_cleaned_in_another_way_is_another_corpus(workplace: Path) -> None:
    names = [prepare("a/novel.txt", cleaning=cleaning) for cleaning in (None, "letters", "none", "whitespace")]
    assert names[0] == names[3] == "novel"
    assert len(set(names)) == 3


def test_two_columns_and_two_files_of_series_keep_apart(workplace: Path) -> None:
    names = [prepare_series("a/tides.csv"), prepare_series("a/tides.csv", column="low"),
             prepare_series("b/tides.csv", column="low"), prepare_series("a/tides low.csv")]  # fmt: skip
    assert names[:3] == ["tides", "tides_low", "b_tides_low"]
    assert len(set(names)) == 4
    assert prepare_series("a/tides.csv", column="low") == "tides_low"


def test_a_series_that_is_cut_in_another_way_than_usual_keeps_apart_too(workplace: Path) -> None:
    names = [prepare_series(f"{folder}/tides.csv", "series-0123abcd") for folder in ("a", "b")]
    assert names == ["tides", "b_tides"]
    assert prepare_series("a/tides.csv") == "tides"


@pytest.mark.parametrize("settings", [{"period": 12}, {"difference": True}])
def test_the_same_column_prepared_in_two_ways_keeps_apart(workplace: Path, settings: dict[str, Any]) -> None:
    assert [prepare_series("a/tides.csv"), prepare_series("a/tides.csv", **settings)] == ["tides", "a_tides"]


def test_a_text_and_a_series_of_one_name_do_not_disturb_each_other(workplace: Path) -> None:
    assert [prepare("a/tides.csv"), prepare_series("b/tides.csv")] == ["tides", "tides"]  # in folders of their own


def test_a_damaged_source_is_refused_and_not_overwritten(workplace: Path) -> None:
    prepare("a/novel.txt")
    Path("results/corpora/novel/source.json").write_text("{")
    with pytest.raises(InputError, match=r"results/corpora/novel/source\.json is damaged"):
        prepare("b/novel.txt")


folders = st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs", "Cc"]), min_size=1,
                           max_size=70), min_size=1, max_size=3)  # fmt: skip
ALIKE = [
    "a",
    "b",
    "a.txt",
    "a b",
    "a_b",
    "\u66f8",
    "\u672c.txt",
    "a" * 61,
    "a" * 62,
    "\U00010330" * 60,
    ".",
    "..",
    "-",
    "\u00e9",
]


@given(st.lists(folders | st.lists(st.sampled_from(ALIKE), min_size=1, max_size=3), min_size=1, max_size=12))
def test_two_paths_never_share_a_name_and_none_loses_its_own(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[str]]
) -> None:
    sources = list(dict.fromkeys(str(Path(*path)) for path in parts))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("work"))
        names = {}
        for source in sources:
            names[source] = name_corpus(Path(source), source, {"a_b"})
            write_json(Path("results/corpora", names[source], "source.json"), {"source": source})
        assert len(set(names.values())) == len(sources)
        assert {source: name_corpus(Path(source), source, {"a_b"}) for source in sources} == names
    for name in names.values():
        check_name("corpus", name)


def test_a_preparation_is_named_where_it_is_not_the_usual_one() -> None:
    usual = {"min_freq": 1, "train": 0.9}
    assert append_digest("char", dict(reversed(usual.items())), usual) == "char"
    others = [
        append_digest("char", usual | change, usual) for change in ({"min_freq": 2}, {"train": 0.8}, {"merges": 1})
    ]
    assert len(set(others)) == 3
    assert all(re.fullmatch("char-[0-9a-f]{8}", name) for name in others)
    assert append_digest("char", {"train": 0.9, "min_freq": 2}, usual) == others[0]


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

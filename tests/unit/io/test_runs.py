"""The runs of an experiment: where their files lie, runs.json written and read, and experiments that keep apart."""

import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from seqlab.io.errors import InputError
from seqlab.io.files import write_text
from seqlab.io.runs import (
    RESERVED_FOLDERS,
    Place,
    Run,
    add_place_arguments,
    check_results_folder,
    choose_experiment_name,
    describe_older_results,
    read_experiment,
    select_runs,
    write_experiment,
)

RUNS = [("novel", "char", "ngram", "mkn-2"), ("novel", "char", "rnn", "lstm-1x8-dropout~0.3"),
        ("novel", "word", "ngram", "mkn-2"), ("tides", "series", "forecast", "persistence")]  # fmt: skip
FILES = ["config/novel.yaml"]


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the runs.json of one experiment; returns its path there."""
    monkeypatch.chdir(tmp_path)
    path = Path("results/mine/runs.json")
    prepared = {"novel/char": "results/corpora/novel/char", "novel/word": "results/corpora/novel/word-0123abcd",
                "tides/series": "results/corpora/tides/series"}  # fmt: skip
    write_experiment(path, "mine", FILES, "snakemake --cores all", prepared, RUNS, answers=["novel/char"])
    return path


def test_files_of_a_run_lie_in_its_folder() -> None:
    run = Run("results/mine", "novel", "char", "rnn", "lstm-1x8")
    assert run.file("metrics.json") == "results/mine/novel/char/rnn/lstm-1x8/metrics.json"
    assert Path(run.file("metrics.json")) == run.folder / "metrics.json"
    assert run.place == Place("results/mine", "novel", "char")
    assert run.place.file("models.csv") == "results/mine/novel/char/models.csv"


def test_an_experiment_survives_the_round_trip(results: Path) -> None:
    experiment = read_experiment(results)
    assert experiment.folder == "results/mine"
    assert (experiment.name, experiment.configuration, experiment.command) == ("mine", FILES, "snakemake --cores all")
    assert experiment.runs == [Run("results/mine", *run) for run in RUNS]
    assert experiment.prepared[experiment.runs[2].place] == "results/corpora/novel/word-0123abcd"
    assert set(experiment.prepared) == {run.place for run in experiment.runs}
    assert experiment.answers == (experiment.runs[0].place,)


def test_the_folder_of_an_experiment_is_where_its_file_lies(results: Path) -> None:
    moved = Path("kept/elsewhere")
    moved.mkdir(parents=True)
    results.rename(moved / "runs.json")
    experiment = read_experiment(moved / "runs.json")
    assert experiment.folder == "kept/elsewhere"
    assert experiment.runs[0].file("card.yaml") == "kept/elsewhere/novel/char/ngram/mkn-2/card.yaml"


def test_runs_are_selected_by_place_and_family_in_their_order(results: Path) -> None:
    experiment = read_experiment(results)
    assert experiment.select() == experiment.runs
    assert experiment.select("novel", "char") == experiment.runs[:2]
    assert experiment.select(families=["ngram"]) == [experiment.runs[0], experiment.runs[2]]
    assert experiment.select("novel", "char", ["rnn"]) == [experiment.runs[1]]
    assert experiment.select("novel", "byte") == []


def test_programs_are_given_the_runs_on_one_corpus_and_unit(results: Path) -> None:
    parser = ArgumentParser()
    add_place_arguments(parser)
    line = ["--experiment", str(results), "--corpus", "novel", "--unit"]
    assert [run.model for run in select_runs(parser.parse_args([*line, "word"]))] == ["mkn-2"]
    assert select_runs(parser.parse_args([*line, "word"]), ["rnn"]) == []
    with pytest.raises(InputError, match=r"runs\.json has no corpus 'novel' by 'byte'"):
        select_runs(parser.parse_args([*line, "byte"]))


@pytest.mark.parametrize("key", ["experiment", "configuration", "command", "prepared", "runs"])
def test_a_file_of_runs_that_lacks_a_key_is_refused(results: Path, key: str) -> None:
    content = json.loads(results.read_text())
    del content[key]
    write_text(results, json.dumps(content))
    with pytest.raises(InputError, match=rf"runs\.json is damaged \(it has no '{key}'\); delete it and run"):
        read_experiment(results)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("runs", [["novel", "char", "ngram"]]),
        ("runs", [["novel", "char", "ngram", "mkn-2", "more"]]),
        ("runs", [["novel", "char", "ngram", 2]]),
        ("runs", 7),
        ("runs", None),
        ("prepared", []),
        ("prepared", {"novel": "results"}),
    ],
)
def test_a_file_of_runs_with_a_value_that_can_not_be_is_refused(results: Path, key: str, value: object) -> None:
    content = json.loads(results.read_text()) | {key: value}
    write_text(results, json.dumps(content))
    with pytest.raises(InputError, match=r"runs\.json is damaged"):
        read_experiment(results)


@pytest.mark.parametrize("damage", [lambda text: text[:-20], lambda text: text.replace("mkn-2", "mkn-3"), lambda _: ""])
def test_a_damaged_file_of_runs_is_refused(results: Path, damage: object) -> None:
    results.write_text(damage(results.read_text()))  # type: ignore[operator]
    with pytest.raises(InputError, match=r"runs\.json .*; delete it and run"):
        read_experiment(results)


def test_the_name_of_an_experiment_is_given_or_that_of_its_last_file_or_default() -> None:
    assert choose_experiment_name("mine", ["config/a.yaml"]) == "mine"
    assert choose_experiment_name(None, ["config/a.yaml", "config/time_machine.yaml"]) == "time_machine"
    assert choose_experiment_name(None, []) == "default"
    assert choose_experiment_name(None, ["my own (2nd).yaml"]) == "my_own_2nd_"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/tmp/x", "a b", "-rf", "$(touch x)", "a\n", "n" * 101])
def test_an_experiment_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"names an experiment, but allowed are 1 to 100 letters"):
        choose_experiment_name(name, FILES)


@pytest.mark.parametrize("name", RESERVED_FOLDERS)
def test_the_folder_of_something_else_is_refused_as_an_experiment(name: str) -> None:
    for given, files in ((name, FILES), (None, [f"config/{name}.yaml"])):
        with pytest.raises(InputError, match=rf"results/{name} is reserved for other files; choose another name"):
            choose_experiment_name(given, files)


def test_results_of_another_configuration_are_refused_with_the_remedy(results: Path) -> None:
    before = results.read_bytes()
    with pytest.raises(InputError) as refused:
        check_results_folder("results/mine", ["config/other.yaml", "config/more.yaml"])
    assert str(refused.value) == (
        "results/mine holds the results of config/novel.yaml, but this experiment is config/other.yaml "
        "config/more.yaml; give it another name with `experiment: NAME`, or remove results/mine"
    )
    with pytest.raises(InputError, match=r"but this experiment is the default configuration; "):
        check_results_folder("results/mine", [])
    assert results.read_bytes() == before


@pytest.mark.parametrize(("folder", "file"), [("novel", "clean.txt"), ("forecast", "sine/series.json")])
def test_results_of_an_earlier_version_under_the_name_of_an_experiment_are_left_alone(
    results: Path, folder: str, file: str
) -> None:
    """An experiment is called like its file, and a corpus may have been called like that."""
    old = Path("results", folder, file)
    old.parent.mkdir(parents=True)
    old.write_text("old")
    with pytest.raises(
        InputError, match=f"^results/{folder} was written by an earlier version of seqlab.* remove or move it"
    ):
        check_results_folder(f"results/{folder}", FILES)
    assert len(describe_older_results()) == 1


def test_the_same_configuration_and_a_new_experiment_conflict_with_nothing(results: Path) -> None:
    check_results_folder("results/mine", FILES)
    check_results_folder("results/other", FILES)
    results.with_name("models.csv").write_text("no runs.json beside it")
    results.unlink()
    check_results_folder("results/mine", ["config/other.yaml"])


def test_results_of_an_earlier_version_are_named_with_what_to_do(results: Path) -> None:
    assert describe_older_results() == []
    Path("results/corpora/novel").mkdir(parents=True)
    for path in ("results/corpora/novel/clean.txt", "results/novel/clean.txt", "results/forecast/tides/series.json"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("{}")
    told = describe_older_results()
    assert [sentence.split(" ")[0] for sentence in told] == ["results/forecast", "results/novel"]
    assert all(sentence.endswith("; remove or move it") for sentence in told)


def test_an_experiment_called_forecast_is_not_one_of_an_earlier_version(results: Path) -> None:
    results.parent.rename("results/forecast")
    Path("results/forecast/tides/series").mkdir(parents=True)
    Path("results/forecast/tides/series/models.csv").write_text("")
    assert describe_older_results() == []

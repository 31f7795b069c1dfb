"""The table of figures: every entry has a function and files that can be read, and is drawn from what it needs."""

from importlib import import_module
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from made_results import NOTHING_TO_SPELL, make_results

from seqlab.io.errors import InputError
from seqlab.io.files import write_json
from seqlab.io.runs import Experiment, Place, Run
from seqlab.io.tables import tabulate_rows, write_table
from seqlab.questions.breakdown import BreakdownRow
from seqlab.questions.horizon import summarize_ahead
from seqlab.questions.memory import MemoryRow
from seqlab.report.contents import (
    ANSWER_FIGURES,
    SERIES_FIGURES,
    TEXT_FIGURES,
    Figure,
    find_figure,
    find_place,
    list_figure_files,
    list_paths,
    list_report_files,
)
from seqlab.report.drawing import FILE_READERS, draw_figure
from seqlab.report.tables import summarize_texts
from seqlab.sampling import Ahead

ALL = TEXT_FIGURES | ANSWER_FIGURES | SERIES_FIGURES
PLACE = Place("results/made", "toy", "char")
RUNS = [
    Run(*PLACE, "source", "true-source"),
    Run(*PLACE, "ngram", "mkn-2"),
    Run(*PLACE, "rnn", "lstm-1x8"),
    Run(*PLACE, "rnn", "lstm-1x8-dropout~0.3"),
    Run("results/made", "toy", "word", "rnn", "lstm-1x8"),
]
PREPARED = "results/corpora/toy/char"


def test_no_figure_of_a_text_has_the_name_of_one_of_a_series() -> None:
    assert len(ALL) == len(TEXT_FIGURES) + len(ANSWER_FIGURES) + len(SERIES_FIGURES)


@pytest.mark.parametrize("name", ALL)
def test_a_figure_has_a_caption_and_a_function_of_what_it_needs(name: str) -> None:
    figure = ALL[name]
    assert figure.title and figure.caption.endswith(".")
    function = getattr(import_module(figure.module), figure.draw.partition(":")[2])
    signature(function).bind(*figure.needs)
    assert {need.rpartition("/")[2] for need in figure.needs} <= {*FILE_READERS, "series.json"}


def test_needs_become_paths() -> None:
    needs = ("models.csv", "prepared/check.json", "rnn/history.csv", "compressor/card.yaml", "ngram/mkn-2/sample.txt")
    files = list_figure_files(Figure("", "", needs, ""), PLACE, RUNS, PREPARED)
    base = "results/made/toy/char"
    assert files == {
        "models.csv": f"{base}/models.csv",
        "prepared/check.json": f"{PREPARED}/check.json",
        "rnn/history.csv": {
            "lstm-1x8": f"{base}/rnn/lstm-1x8/history.csv",
            "lstm-1x8-dropout~0.3": f"{base}/rnn/lstm-1x8-dropout~0.3/history.csv",
        },
        "compressor/card.yaml": {},
        "ngram/mkn-2/sample.txt": f"{base}/ngram/mkn-2/sample.txt",
    }
    assert list_paths(files) == [
        f"{base}/models.csv",
        f"{PREPARED}/check.json",
        f"{base}/rnn/lstm-1x8/history.csv",
        f"{base}/rnn/lstm-1x8-dropout~0.3/history.csv",
        f"{base}/ngram/mkn-2/sample.txt",
    ]


def test_the_files_of_a_report_are_those_of_its_texts_and_series() -> None:
    series = Place("results/made", "wave", "series")
    runs = [*RUNS[:4], Run(*PLACE, "compressor", "xz"), Run(*series, "forecast", "autoregression")]
    files = list_report_files({PLACE: PREPARED, series: "results/corpora/wave/series"}, runs)
    assert len(files) == len(set(files))
    base = "results/made/toy/char"
    assert {f"{base}/models.csv", f"{base}/verdicts.csv", f"{base}/figures/axes.svg"} <= set(files)
    assert {"results/corpora/toy/source.json", f"{base}/check.json"} <= set(files)
    assert f"{base}/rnn/lstm-1x8/sample.txt" in files and f"{base}/compressor/xz/sample.txt" not in files
    assert "results/corpora/wave/series/source.json" in files
    of_series = [path for path in files if "wave" in path]
    assert "results/made/wave/series/forecast/autoregression/orders.csv" in of_series
    assert "results/made/wave/series/figures/markov_check.svg" in of_series
    assert not any(path.endswith(("verdicts.csv", "check.json", "sample.txt")) for path in of_series)


def test_only_texts_with_answers_have_their_figure_and_table() -> None:
    other = Place("results/made", "words", "char")
    files = list_report_files({PLACE: PREPARED, other: "results/corpora/words/char"}, RUNS, answers=[other])
    assert [path for path in files if "gaps" in path] == [other.file("figures/gaps.svg"), other.file("gaps.csv")]
    assert find_figure(other, "gaps", [other]).title == "Gaps"
    with pytest.raises(InputError, match="'gaps' is not a figure of toy by char"):
        find_figure(PLACE, "gaps", [other])


def test_what_an_experiment_does_not_have_is_named() -> None:
    experiment = Experiment("results/made", "made", [], "", {PLACE: PREPARED}, RUNS)
    assert find_place(experiment, "toy", "char") == PLACE
    with pytest.raises(InputError, match="has no 'toy' by 'byte'; use one of toy by char"):
        find_place(experiment, "toy", "byte")
    with pytest.raises(
        InputError, match="'markov_check' is not a figure of toy by char; choose one of perplexity_by_order"
    ):
        find_figure(PLACE, "markov_check")


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    """Made results with the tables that figures are drawn from."""
    runs = [Run(str(folder.parents[3]), *folder.parts[-4:]) for folder in make_results(tmp_path)]
    place = runs[0].place
    write_table(place.file("models.csv"), summarize_texts(runs, NOTHING_TO_SPELL)[1])
    ahead = [Ahead.exact(steps, np.array([0.5, 0.25])) for steps in (1, 2)]
    for name, rows in {
        "memory": [MemoryRow("mkn", "mkn-2", 1, 9, 1.5), MemoryRow("mkn", "mkn-3", 2, 9, 1.2)],
        "horizon": [summarize_ahead("ngram", "mkn-2", bits) for bits in ahead],
        "breakdown": [BreakdownRow("kind of symbol", group, "mkn-2", 5, 1.0) for group in ("letter", "digit")],
    }.items():
        write_table(place.file(f"{name}.csv"), tabulate_rows(type(rows[0]), rows))
    return runs


@pytest.mark.parametrize("name", TEXT_FIGURES)
def test_every_figure_of_a_text_is_drawn_from_its_files(runs: list[Run], name: str) -> None:
    files = list_figure_files(TEXT_FIGURES[name], runs[0].place, runs, "")
    assert any(panel.lines or panel.collections for panel in draw_figure(TEXT_FIGURES[name], files).axes)


def test_a_figure_has_the_floor_of_a_source_where_there_is_one(runs: list[Run]) -> None:
    figure = TEXT_FIGURES["perplexity_by_order"]
    without = [run for run in runs if run.family != "source"]
    for own, floor in ((runs, True), (without, False)):  # 2.000 is the entropy rate in the metrics of the source
        drawn = draw_figure(figure, list_figure_files(figure, runs[0].place, own, ""))
        assert any(line.get_label() == "known floor, 2.000" for line in drawn.axes[0].lines) == floor


def test_a_file_without_a_reader_of_its_own_is_read_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "answer.json", {"figures": 42})
    (tmp_path / "any.csv").write_text("a,b\n1,2\n")
    monkeypatch.setattr("seqlab.report.cost.plot_cost", lambda *contents: contents)
    figure = Figure("", "", ("answer.json", "any.csv", "rnn/any.csv"), "seqlab.report.cost:plot_cost")
    table = str(tmp_path / "any.csv")
    files = {"answer.json": str(tmp_path / "answer.json"), "any.csv": table, "rnn/any.csv": {"lstm-1x8": table}}
    answer, one, of_models = draw_figure(figure, files)
    assert answer == {"figures": 42} and one["b"].to_list() == [2] and of_models["lstm-1x8"].equals(one)


def test_a_need_that_nothing_can_read_is_named() -> None:
    figure = Figure("", "", ("ngram/mkn-2/model.bin",), "seqlab.report.cost:plot_cost")
    with pytest.raises(InputError, match=r"a figure needs ngram/mkn-2/model\.bin, which has no reader"):
        draw_figure(figure, {"ngram/mkn-2/model.bin": "model.bin"})


def test_a_damaged_file_is_named(runs: list[Run]) -> None:
    history = next(run for run in runs if run.family == "rnn").file("history.csv")
    Path(history).write_text("epoch\n1\n")
    files = list_figure_files(TEXT_FIGURES["learning_curves"], runs[0].place, runs, "")
    with pytest.raises(InputError, match=r"history\.csv is damaged \(it has no column seed\)"):
        draw_figure(TEXT_FIGURES["learning_curves"], files)

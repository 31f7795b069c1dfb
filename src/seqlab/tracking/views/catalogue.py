"""Saved views of every MLflow experiment, in reading order.

An MLflow experiment holds all experiments on one text; means are over the seeds of one model of one experiment. Every
experiment whose networks differ in some settings has a view of these settings, its axes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from seqlab.io.runs import SERIES
from seqlab.tracking.runs import AXES_TAG, EXPERIMENT_KIND, MODEL_KIND, RUN_TAG
from seqlab.tracking.views.format import (
    add_charts,
    bar_chart,
    contour_chart,
    group_rows,
    line_chart,
    make_view_tag,
    parallel_chart,
    runs_table,
    scatter_chart,
    view_link,
)

PAGE_RUNS = f"tags.kind = '{EXPERIMENT_KIND}'"  # the runs with the pages of experiments
MODEL_RUNS = f"tags.kind = '{MODEL_KIND}'"
NETWORK_RUNS = f"{MODEL_RUNS} AND tags.family = 'rnn'"
LEADING_RUNS = f"{MODEL_RUNS} AND tags.leading = 'yes' AND tags.family != 'compressor' AND tags.family != 'source'"
CHOSEN_METRIC = "metrics.`valid/perplexity`"  # the metric that selects models
MAX_AXIS_CHARTS, MAX_AXIS_MAPS = 6, 3  # in the view of the axes of an experiment

Axes = Mapping[str, list[Any]]  # of an experiment, as `seqlab.tracking.runs.describe_axes` writes them


@dataclass(frozen=True)
class View:
    """A saved view: the name in its link, its title, the question that it answers, and its state in MLflow."""

    link: str
    title: str
    answers: str
    state: dict[str, Any]

    @property
    def charts(self) -> bool:
        """True for views with charts, false for tables."""
        return "compareRunCharts" in self.state

    def address(self, experiment: str) -> str:
        """Return the part of its address after that of the server."""
        return view_link(experiment, self.link, self.charts)


def _columns(*params: str) -> list[str]:
    columns = [f"tags.`{name}`" for name in ("experiment", "behind", "verdict", "underfitted")]
    columns += ["metrics.`test/perplexity`", CHOSEN_METRIC, "metrics.`test/bits_per_char`"]
    return columns + [f"params.`{name}`" for name in params] + ["metrics.`model/parameters`", "metrics.`train/seconds`"]


def _table(where: str, *params: str) -> dict[str, Any]:
    return runs_table(where, CHOSEN_METRIC, _columns(*params))


TEXT_VIEWS = (
    View(
        "leaderboard",
        "Leaderboard",
        "the best model, the differences to it, and their verdicts",
        _table(MODEL_RUNS, "family", "cell", "layers", "hidden", "smoothing", "order", "seed"),
    ),
    View(
        "experiments",
        "Experiments",
        "experiments on this text side by side: the five best models of each family, mean over seeds",
        add_charts(
            group_rows(_table(LEADING_RUNS, "family"), RUN_TAG),
            {
                "Bits per character of test": [bar_chart("test/bits_per_char", 40)],
                "Against parameters and against seconds of training": [
                    scatter_chart("model/parameters", "test/bits_per_char"),
                    scatter_chart("train/seconds", "test/bits_per_char"),
                ],
            },
        ),
    ),
    View(
        "curves",
        "Learning curves",
        "loss and perplexity by epoch of every network",
        add_charts(
            _table(NETWORK_RUNS, "cell", "layers", "hidden", "seed"),
            {
                "Valid": [line_chart("valid/epoch_perplexity")],
                "Train": [line_chart("train/epoch_perplexity"), line_chart("train/gradient_norm")],
            },
        ),
    ),
    View(
        "seeds",
        "Mean over seeds",
        "differences between networks against the spread over seeds",
        add_charts(
            group_rows(_table(NETWORK_RUNS, "cell", "layers", "hidden", "seed"), RUN_TAG),
            {
                "Valid, mean and spread over seeds": [line_chart("valid/epoch_perplexity")],
                "Test, mean over seeds": [bar_chart("test/perplexity")],
            },
        ),
    ),
    View(
        "ngram-rnn",
        "n-gram against RNN",
        "networks compared with n-grams: the five best models of each family",
        add_charts(
            group_rows(_table(LEADING_RUNS, "family", "model"), RUN_TAG),
            {
                "Bits per character of test": [bar_chart("test/bits_per_char", 20)],
                "Against the number of parameters": [scatter_chart("model/parameters", "test/bits_per_char")],
            },
        ),
    ),
)


SERIES_METRICS = [f"metrics.`test/{name}-{horizon}`" for name in ("rmse", "crps") for horizon in (1, 4, 16, 64)]
SERIES_TABLE_COLUMNS = [
    "tags.`experiment`",
    "tags.`underfitted`",
    "metrics.`valid/rmse-1`",
    *SERIES_METRICS,
    "params.`model`",
    "params.`seed`",
]
SERIES_TABLE = runs_table(MODEL_RUNS, "metrics.`valid/rmse-1`", SERIES_TABLE_COLUMNS)
SERIES_VIEWS = (
    View("leaderboard", "Leaderboard", "the best forecasts, one step and more steps ahead", SERIES_TABLE),
    View(
        "experiments",
        "Experiments",
        "experiments on this series side by side, mean over seeds",
        add_charts(group_rows(SERIES_TABLE, RUN_TAG), {"RMSE of test, one step ahead": [bar_chart("test/rmse-1", 40)]}),
    ),
    View(
        "horizons",
        "Horizons",
        "errors by steps ahead, mean over seeds",
        add_charts(
            group_rows(SERIES_TABLE, RUN_TAG),
            {"RMSE of test": [bar_chart(f"test/rmse-{horizon}") for horizon in (1, 4, 16, 64)]},
        ),
    ),
    View(
        "curves",
        "Learning curves",
        "loss and perplexity by epoch of every network",
        add_charts(SERIES_TABLE, {"Valid": [line_chart("valid/epoch_loss")]}),
    ),
)


def list_views(name: str, pages: Iterable[Any]) -> tuple[View, ...]:
    """Return the views of the MLflow experiment `name`, a corpus and a unit; `pages` are the runs of `PAGE_RUNS` in it,
    one for each experiment, which name its axes.
    """
    is_series = name.endswith(f"/{SERIES}")
    axes = {page.data.tags["experiment"]: json.loads(page.data.tags.get(AXES_TAG, "{}")) for page in pages}
    views = [_view_axes(experiment, axes[experiment], is_series) for experiment in sorted(axes) if axes[experiment]]
    return (*(SERIES_VIEWS if is_series else TEXT_VIEWS), *views)


def _view_axes(experiment: str, axes: Axes, is_series: bool) -> View:
    """Return the view of the settings in which the networks of an experiment differ."""
    metric, words = ("test/rmse-1", "test RMSE") if is_series else ("test/perplexity", "test perplexity")
    where = f"{MODEL_RUNS} AND tags.experiment = '{experiment}' AND params.cell != ''"
    columns = [f"params.`{name}`" for name in axes]
    if is_series:
        table = runs_table(where, "metrics.`valid/rmse-1`", [*SERIES_TABLE_COLUMNS, *columns])
    else:
        table = _table(where, *axes, "seed")
    pairs = list(combinations([name for name, values in axes.items() if _is_numeric(values)], 2))
    sections = {
        f"All axes and {words}": [parallel_chart(list(axes), [metric])],
        f"Each axis and {words}": [scatter_chart(name, metric, "PARAM") for name in [*axes][:MAX_AXIS_CHARTS]],
        f"Maps of {words}": [contour_chart(*pair, metric) for pair in pairs[:MAX_AXIS_MAPS]],
    }
    charts = {title: section for title, section in sections.items() if section}
    answers = f"the settings that the experiment varies: {', '.join(axes)}"
    return View(f"axes-{experiment}", f"Axes of {experiment}", answers, add_charts(table, charts))


def _is_numeric(values: list[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def install_views(client: Any, mlflow_experiment: str, known: dict[str, str], views: tuple[View, ...]) -> int:
    """Write `views` into the tags of an MLflow experiment, now `known`; return the number of new and changed ones."""
    tags = dict(make_view_tag(view.link, view.title, view.state) for view in views)
    changed = {key: value for key, value in tags.items() if known.get(key) != value}
    for key, value in changed.items():
        client.set_experiment_tag(mlflow_experiment, key, value)
    return len(changed)

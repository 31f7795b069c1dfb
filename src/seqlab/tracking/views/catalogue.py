"""Saved views of every MLflow experiment, in reading order.

An MLflow experiment holds all experiments on one text; means are over the seeds of one model of one experiment.
"""

from dataclasses import dataclass
from typing import Any

from seqlab.io.runs import SERIES
from seqlab.tracking.runs import EXPERIMENT_KIND, MODEL_KIND, RUN_TAG
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
        "comparison of the experiments on this text: the five best models of each family, mean over seeds",
        group_rows(_table(LEADING_RUNS, "family"), RUN_TAG),
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
    View(
        "layers-hidden",
        "Layers x hidden",
        "perplexity by size of the network",
        add_charts(
            _table(NETWORK_RUNS, "cell", "layers", "hidden", "seed"),
            {
                "Settings and test perplexity": [parallel_chart(["cell", "layers", "hidden"], ["test/perplexity"])],
                "Map of test perplexity": [contour_chart("layers", "hidden", "test/perplexity")],
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


def list_views(name: str) -> tuple[View, ...]:
    """Return the views of the MLflow experiment `name`, a corpus and a unit."""
    return SERIES_VIEWS if name.endswith(f"/{SERIES}") else TEXT_VIEWS


def install_views(
    client: Any, mlflow_experiment: str, known: dict[str, str], views: tuple[View, ...] = TEXT_VIEWS
) -> int:
    """Write `views` into the tags of an MLflow experiment, now `known`; return the number of new and changed ones."""
    tags = dict(make_view_tag(view.link, view.title, view.state) for view in views)
    changed = {key: value for key, value in tags.items() if known.get(key) != value}
    for key, value in changed.items():
        client.set_experiment_tag(mlflow_experiment, key, value)
    return len(changed)

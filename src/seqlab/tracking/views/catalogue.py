"""The views that every MLflow experiment comes with: what to look at, in the order in which to look.

It holds all experiments on one text, so means are those over the seeds of one model of one experiment.
"""

from dataclasses import dataclass
from typing import Any

from seqlab.io.runs import SERIES
from seqlab.tracking.runs import EXPERIMENT, MODEL, RUN
from seqlab.tracking.views.format import (
    bar_chart,
    contour_chart,
    grouped,
    line_chart,
    parallel_chart,
    runs_table,
    scatter_chart,
    view_link,
    view_tag,
    with_charts,
)

PAGE_RUNS = f"tags.kind = '{EXPERIMENT}'"  # the runs whose pages tell of an experiment
MODEL_RUNS = f"tags.kind = '{MODEL}'"
NETWORK_RUNS = f"{MODEL_RUNS} AND tags.family = 'rnn'"
LEADING_RUNS = f"{MODEL_RUNS} AND tags.leading = 'yes' AND tags.family != 'compressor' AND tags.family != 'source'"
CHOSEN_METRIC = "metrics.`valid/perplexity`"  # what selects a model


@dataclass(frozen=True)
class View:
    """A saved view: the name in its link, its title, what it answers, and how MLflow stores it."""

    link: str
    title: str
    answers: str
    state: dict[str, Any]

    @property
    def charts(self) -> bool:
        """Whether it draws runs, rather than listing them."""
        return "compareRunCharts" in self.state

    def address(self, experiment: str) -> str:
        """Its address on a server, after that of the server itself."""
        return view_link(experiment, self.link, self.charts)


def _columns(*params: str) -> list[str]:
    figures = [
        "tags.`experiment`",
        "tags.`behind`",
        "tags.`verdict`",
        "metrics.`test/perplexity`",
        CHOSEN_METRIC,
        "metrics.`test/bits_per_char`",
    ]
    return figures + [f"params.`{name}`" for name in params] + ["metrics.`model/parameters`", "metrics.`train/seconds`"]


def _table(where: str, *params: str) -> dict[str, Any]:
    return runs_table(where, CHOSEN_METRIC, _columns(*params))


VIEWS = (
    View(
        "leaderboard",
        "Leaderboard",
        "which model is best, by how much, and is it real",
        _table(MODEL_RUNS, "family", "cell", "layers", "hidden", "smoothing", "order", "seed"),
    ),
    View(
        "experiments",
        "Experiments",
        "how the experiments on this text compare: the five best of each family, mean over seeds",
        grouped(_table(LEADING_RUNS, "family"), RUN),
    ),
    View(
        "curves",
        "Learning curves",
        "how every network learnt",
        with_charts(
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
        "whether networks differ by more than their seeds do",
        with_charts(
            grouped(_table(NETWORK_RUNS, "cell", "layers", "hidden", "seed"), RUN),
            {
                "Valid, mean and spread over seeds": [line_chart("valid/epoch_perplexity")],
                "Test, mean over seeds": [bar_chart("test/perplexity")],
            },
        ),
    ),
    View(
        "ngram-rnn",
        "n-gram against RNN",
        "what a network gains over counting: the five best of each family",
        with_charts(
            grouped(_table(LEADING_RUNS, "family", "model"), RUN),
            {
                "Bits per character of test": [bar_chart("test/bits_per_char", 20)],
                "Against the number of parameters": [scatter_chart("model/parameters", "test/bits_per_char")],
            },
        ),
    ),
    View(
        "layers-hidden",
        "Layers x hidden",
        "what size of network pays",
        with_charts(
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
    "metrics.`valid/rmse-1`",
    *SERIES_METRICS,
    "params.`model`",
    "params.`seed`",
]
SERIES_TABLE = runs_table(MODEL_RUNS, "metrics.`valid/rmse-1`", SERIES_TABLE_COLUMNS)
SERIES_VIEWS = (
    View("leaderboard", "Leaderboard", "which model forecasts best, one step and further ahead", SERIES_TABLE),
    View(
        "horizons",
        "Horizons",
        "how errors grow with the steps ahead, mean over seeds",
        with_charts(
            grouped(SERIES_TABLE, RUN),
            {"RMSE of test": [bar_chart(f"test/rmse-{horizon}") for horizon in (1, 4, 16, 64)]},
        ),
    ),
    View(
        "curves",
        "Learning curves",
        "how every network learnt",
        with_charts(SERIES_TABLE, {"Valid": [line_chart("valid/epoch_loss")]}),
    ),
)


def views_of(name: str) -> tuple[View, ...]:
    """The views of the MLflow experiment `name`, a corpus and a unit."""
    return SERIES_VIEWS if name.endswith(f"/{SERIES}") else VIEWS


def install_views(client: Any, mlflow_experiment: str, known: dict[str, str], views: tuple[View, ...] = VIEWS) -> int:
    """Write `views` into the tags of an MLflow experiment, which now are `known`; returns how many were new or
    changed.
    """
    tags = dict(view_tag(view.link, view.title, view.state) for view in views)
    changed = {key: value for key, value in tags.items() if known.get(key) != value}
    for key, value in changed.items():
        client.set_experiment_tag(mlflow_experiment, key, value)
    return len(changed)

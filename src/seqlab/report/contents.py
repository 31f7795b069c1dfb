"""Figures of the report, and the files that figures and the report are made from.

A figure is a function and an entry here, which names the files it needs:

    models.csv                            in the folder of the corpus and unit
    prepared/series.csv                   in the folder of the prepared corpus
    rnn/history.csv                       of every run of a family, if it has any
    forecast/autoregression/orders.csv    of one run

The Snakefile imports this module, so it imports only the standard library.
"""

import posixpath
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from seqlab.io.errors import InputError, quote
from seqlab.io.runs import SERIES, Experiment, Place, Run

Files = dict[str, str | dict[str, str]]  # needed file -> its path, or the path for each model

# the tables that the report reads
REPORT_TABLES = ("check.json", "models.csv", "verdicts.csv", "protocols.csv", "contrast.json")
PUBLISHED_TABLE = "published.csv"  # of a text with published values
GAPS_TABLE = "gaps.csv"  # of a text with answers
SERIES_TABLES = ("models.csv",)
AUDIT_TABLE = "audit.csv"  # of a text whose models are audited
FAMILIES_WITHOUT_SAMPLE = ("compressor", "lines", "mixture", "external")  # the families that generate no text
ORDERS_FILE = "orders.csv"  # of the autoregression, beside its metrics


class Figure(NamedTuple):
    """A figure: title, caption, needed files, and its function as module:name, which takes the contents of these files
    in this order.
    """

    title: str
    caption: str
    needs: tuple[str, ...]
    draw: str

    @property
    def module(self) -> str:
        """The module of the function."""
        return self.draw.partition(":")[0]


TEXT_FIGURES = {  # of a text
    "perplexity_by_order": Figure(
        "Perplexity by order",
        "Test perplexity of each smoothing against the order of its n-grams, with the best network of each cell as a "
        "band of one standard deviation.",
        ("models.csv", "source/metrics.json"),
        "seqlab.report.figures:plot_perplexity_by_order",
    ),
    "heat_maps": Figure(
        "Heat maps",
        "Test perplexity of networks over pairs of settings, mean and standard deviation over seeds. Where several "
        "networks share a cell of a map, it shows the one with the lowest validation perplexity.",
        ("models.csv",),
        "seqlab.report.networks:plot_heat_maps",
    ),
    "axes": Figure(
        "Axes",
        "Test bits per symbol of every network against each setting that the experiment varies. The black line is the "
        "mean of all networks with a value; colours and markers show the two settings whose means differ most.",
        ("models.csv",),
        "seqlab.report.networks:plot_axes",
    ),
    "learning_curves": Figure(
        "Learning curves",
        "Validation perplexity after each epoch: the mean over seeds, and a band from the lowest to the highest. At "
        "most twelve networks, those with the lowest validation perplexity, are coloured.",
        ("models.csv", "rnn/history.csv"),
        "seqlab.report.networks:plot_learning_curves",
    ),
    "memory": Figure(
        "Memory",
        "Test bits per symbol against the length of the context: n-grams by order, and the best network with its "
        "state limited to the last symbols. A model uses longer contexts where its line still falls.",
        ("memory.csv",),
        "seqlab.report.curves:plot_memory",
    ),
    "horizon": Figure(
        "Horizon",
        "Test bits of the symbol k steps ahead, given all symbols before: computed for the known source and the best "
        "n-gram, sampled for the best network. A flat line predicts from the frequencies of symbols alone.",
        ("horizon.csv",),
        "seqlab.report.curves:plot_horizon",
    ),
    "who_knows_what": Figure(
        "Bits by context",
        "Test bits per symbol of the best model of each family in groups of symbols, and the share of symbols in each "
        "group.",
        ("breakdown.csv",),
        "seqlab.report.explained:plot_breakdown",
    ),
    "cost": Figure(
        "Cost",
        "Test bits per character against parameters and against seconds of training. A line shows, at every cost, the "
        "best n-gram, the best network of a cell, and in wide grey the best of all that cost no more, chosen on "
        "validation. The best n-gram and the best network are named. The parameters of an n-gram are stored n-grams, "
        "each used in its own context only; those of a network are weights, all used at every symbol. Seconds are "
        "those of all seeds of a network, which are trained together.",
        ("models.csv", "source/metrics.json"),
        "seqlab.report.cost:plot_cost",
    ),
}

ANSWER_FIGURES = {  # of a text with answers to questions about the state of its source
    "gaps": Figure(
        "Gaps",
        "Bits per answer against the symbols since the answer before, in a text with longer gaps than the one that the "
        "networks were trained on: the mean over seeds, and a thin line for each seed. A network that "
        "tracks the state stays at the floor; one that does not is at chance behind every gap, and one that forgets "
        "rises to it. The dotted vertical line is the mean gap of the training text.",
        ("gaps.csv", "models.csv", "source/metrics.json"),
        "seqlab.report.gaps:plot_gaps",
    ),
}

SERIES_FIGURES = {  # of a series
    "forecast_paths": Figure(
        "Forecast paths",
        "The end of test, in grey, and its forecasts by each model from the first seed, a line for each horizon k: a "
        "value was forecast k steps earlier. The dotted line is the mean of the trajectories at the longest horizon; "
        "it falls to the mean of the series where a model predicts no more.",
        ("prepared/series.csv", "prepared/series.json", "forecast/forecasts.npz"),
        "seqlab.report.forecast_figures:plot_forecast_paths",
    ),
    "error_by_horizon": Figure(
        "Error by horizon",
        "Test RMSE and CRPS against the steps ahead, with 95 % intervals over origins and seeds, and the standard "
        "deviation of the forecasts (of means of trajectories, if a model has them) divided by that of the values: 0 "
        "is a constant forecast.",
        ("models.csv", "prepared/series.json"),
        "seqlab.report.forecast_figures:plot_error_by_horizon",
    ),
    "residual_autocorrelation": Figure(
        "Residual autocorrelation",
        "Autocorrelation of the errors one step ahead on test. The band contains 95 % of the values of white noise; "
        "outside of it, earlier errors predict later ones.",
        ("forecast/forecasts.npz",),
        "seqlab.report.forecast_figures:plot_residual_autocorrelation",
    ),
    "markov_check": Figure(
        "Markov check",
        "Left: partial autocorrelation on train, which stays within the band beyond the order of a linear Markov "
        "model. Right: validation RMSE of autoregressions by order; the lower mark is the smallest order tied with "
        "the best.",
        (f"forecast/autoregression/{ORDERS_FILE}",),
        "seqlab.report.forecast_figures:plot_markov_check",
    ),
}


def list_figures(place: Place, answers: Container[Place] = ()) -> dict[str, Figure]:
    """Return the figures of a corpus and unit by name: those of texts or those of series; `answers` as in
    `Experiment`.
    """
    if place.unit == SERIES:
        return SERIES_FIGURES
    return (ANSWER_FIGURES if place in answers else {}) | TEXT_FIGURES


def find_figure(place: Place, name: str, answers: Container[Place] = ()) -> Figure:
    """Return the figure `name` of a corpus and unit; InputError where there is none of that name."""
    figures = list_figures(place, answers)
    if name not in figures:
        raise InputError(
            f"{quote(name)} is not a figure of {place.corpus} by {place.unit}; choose one of {', '.join(figures)}"
        )
    return figures[name]


def figure_file(place: Place, name: str) -> str:
    """Return the path of the figure `name`."""
    return place.file(f"figures/{name}.svg")


def list_figure_files(figure: Figure, place: Place, runs: Iterable[Run], prepared: str) -> Files:
    """Return the path of every file that `figure` needs, or for files of a family the paths by model.

    `runs` may include runs of other places; `prepared` is the folder of the prepared corpus.
    """
    files: Files = {}
    for need in figure.needs:
        *where, name = need.split("/")
        if not where:
            files[need] = place.file(name)
        elif where == ["prepared"]:
            files[need] = f"{prepared}/{name}"
        elif len(where) == 1:
            files[need] = {run.model: run.file(name) for run in runs if run.place == place and run.family == where[0]}
        else:
            files[need] = Run(*place, *where).file(name)
    return files


def list_paths(files: Files) -> list[str]:
    """Return all paths of `files`, for the inputs of a rule."""
    return [path for value in files.values() for path in ([value] if isinstance(value, str) else value.values())]


def source_file(place: Place, prepared: str) -> str:
    """Return the path of source.json, the title and origin of a corpus; the units of a text share it."""
    return f"{prepared if place.unit == SERIES else posixpath.dirname(prepared)}/source.json"


def find_place(experiment: Experiment, corpus: str, unit: str) -> Place:
    """Return the place of a corpus and unit; InputError where the experiment lacks it."""
    place = Place(experiment.folder, corpus, unit)
    if place not in experiment.prepared:
        known = ", ".join(f"{place.corpus} by {place.unit}" for place in experiment.prepared)
        raise InputError(
            f"{experiment.folder}/runs.json has no {quote(corpus)} by {quote(unit)}; use one of {known or 'none'}"
        )
    return place


def list_report_files(
    prepared: Mapping[Place, str],
    runs: Iterable[Run],
    published: Iterable[Place] = (),
    answers: Sequence[Place] = (),
    audited: Iterable[Place] = (),
) -> list[str]:
    """Return every file that the report reads; `prepared`, `runs`, `answers` and `audited` are those of `Experiment`,
    and `published` are the places that are compared with a published table.
    """
    files = []
    for place, folder in prepared.items():
        series = place.unit == SERIES
        files += [source_file(place, folder)] + [f"{folder}/series.json"] * series
        files += [place.file(name) for name in (SERIES_TABLES if series else REPORT_TABLES)]
        files += [figure_file(place, name) for name in list_figures(place, answers)]
    files += [place.file(PUBLISHED_TABLE) for place in published] + [place.file(GAPS_TABLE) for place in answers]
    files += [place.file(AUDIT_TABLE) for place in audited]
    for run in runs:
        files += [run.file("metrics.json"), run.file("card.yaml")]
        if run.unit == SERIES:
            files += [run.file(ORDERS_FILE)] if run.model == "autoregression" else []
        elif run.family not in FAMILIES_WITHOUT_SAMPLE:
            files.append(run.file("sample.txt"))
    return list(dict.fromkeys(files))  # units of one corpus share its source

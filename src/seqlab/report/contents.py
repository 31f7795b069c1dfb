"""Every figure of an experiment in the order of the report, and the files that figures and the report are made from.

A figure is a function and an entry here. What it needs are names of files:

    models.csv                            in the folder of the corpus and unit
    prepared/series.csv                   in the folder of the prepared corpus
    rnn/history.csv                       of every run of a family, of which there may be none
    forecast/autoregression/orders.csv    of one run

The Snakefile reads this module, so it loads nothing but the standard library.
"""

import posixpath
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from seqlab.io.errors import InputError, shown
from seqlab.io.runs import SERIES, Experiment, Place, Run

Files = dict[str, str | dict[str, str]]  # the path of each need, or the path of each model

TABLES = ("check.json", "models.csv", "verdicts.csv", "protocols.csv", "contrast.json")  # that the report reads
SERIES_TABLES = ("models.csv",)
WITHOUT_SAMPLE = ("compressor", "mixture")  # the families that generate no text
ORDERS_FILE = "orders.csv"  # of the autoregression, beside its metrics


class Figure(NamedTuple):
    """A figure: its title and caption, the files it is drawn from, and its function as module:name, which takes what
    these files hold, in this order.
    """

    title: str
    caption: str
    needs: tuple[str, ...]
    draw: str

    @property
    def module(self) -> str:
        """The module of the function, on which the drawing depends."""
        return self.draw.partition(":")[0]


FIGURES = {  # of a text
    "perplexity_by_order": Figure(
        "Perplexity by order",
        "Test perplexity of each smoothing against the order of its n-grams, with the best network of each cell as a "
        "band of one standard deviation.",
        ("models.csv", "source/metrics.json"),
        "seqlab.report.figures:perplexity_by_order",
    ),
    "heat_maps": Figure(
        "Heat maps",
        "Test perplexity of networks over pairs of settings, mean and standard deviation over seeds. Where several "
        "networks share a cell of a map, it shows the one with the lowest validation perplexity.",
        ("models.csv",),
        "seqlab.report.networks:heat_maps",
    ),
    "axes": Figure(
        "Axes",
        "Test bits per symbol of every network against each setting that the experiment varies. Black is the mean of "
        "all networks with that value; colours and markers show the two settings whose means differ most.",
        ("models.csv",),
        "seqlab.report.networks:axes",
    ),
    "learning_curves": Figure(
        "Learning curves",
        "Validation perplexity after each epoch: the mean over seeds, and a band from the lowest to the highest. Of "
        "many networks, the twelve with the lowest validation perplexity are coloured.",
        ("models.csv", "rnn/history.csv"),
        "seqlab.report.networks:learning_curves",
    ),
    "memory": Figure(
        "Memory",
        "Bits per symbol of test against the symbols of context: n-grams by order, and the best network with its state "
        "cut to the last symbols. Where a line goes on falling, what lies further back is used.",
        ("memory.csv",),
        "seqlab.report.curves:memory",
    ),
    "horizon": Figure(
        "Horizon",
        "Bits of the symbol that lies so many steps ahead, given all before: the known source and the best n-gram "
        "exactly, the best network by drawing the ways there. A level line knows only how frequent symbols are.",
        ("horizon.csv",),
        "seqlab.report.curves:horizon",
    ),
    "who_knows_what": Figure(
        "Who knows what",
        "Mean bits of the best model of each family on groups of test symbols, and the share of symbols in each group.",
        ("breakdown.csv",),
        "seqlab.report.explained:who_knows_what",
    ),
    "cost": Figure(
        "Parameters",
        "Test bits per character against parameters and against seconds of training; the names are those of the best "
        "on valid, and nothing of its cost was found below the grey line.",
        ("models.csv", "source/metrics.json"),
        "seqlab.report.cost:cost",
    ),
}

SERIES_FIGURES = {  # of a series
    "forecast_paths": Figure(
        "Forecast paths",
        "The end of test, in grey, and what each model forecast of it: a line is one horizon, and its value at a time "
        "was forecast so many steps before, from the first seed. Dotted is the mean of the trajectories at the "
        "longest horizon. Where a model no longer knows better, that falls to the mean.",
        ("prepared/series.csv", "prepared/series.json", "forecast/forecasts.npz"),
        "seqlab.report.forecast_figures:forecast_paths",
    ),
    "error_by_horizon": Figure(
        "Error by horizon",
        "Test RMSE and CRPS against the steps ahead, with 95 % intervals over origins and seeds, and the standard "
        "deviation of the forecasts (of means of trajectories, where a model has them) by that of the values: 0 is a "
        "forecast that has collapsed to a constant.",
        ("models.csv", "prepared/series.json"),
        "seqlab.report.forecast_figures:error_by_horizon",
    ),
    "residual_autocorrelation": Figure(
        "Residual autocorrelation",
        "Autocorrelation of the errors one step ahead on test. Outside the band, which holds 95 % of those of white "
        "noise, earlier errors tell of later ones.",
        ("forecast/forecasts.npz",),
        "seqlab.report.forecast_figures:residual_autocorrelation",
    ),
    "markov_check": Figure(
        "Markov check",
        "Partial autocorrelation on train: beyond the order of a linear Markov model it stays within the band. And the "
        "RMSE on valid of autoregressions by order; more lags than the lower mark are not told from chance.",
        (f"forecast/autoregression/{ORDERS_FILE}",),
        "seqlab.report.forecast_figures:markov_check",
    ),
}


def figures_of(place: Place) -> dict[str, Figure]:
    """The figures of a corpus and unit by name: those of a text, or those of a series."""
    return SERIES_FIGURES if place.unit == SERIES else FIGURES


def figure_named(place: Place, name: str) -> Figure:
    """The figure `name` of a corpus and unit; InputError where it has none of that name."""
    figures = figures_of(place)
    if name not in figures:
        raise InputError(
            f"{shown(name)} is no figure of {place.corpus} by {place.unit}; choose from {', '.join(figures)}"
        )
    return figures[name]


def figure_file(place: Place, name: str) -> str:
    """The path of the figure `name`."""
    return place.file(f"figures/{name}.svg")


def files_of(figure: Figure, place: Place, runs: Iterable[Run], prepared: str) -> Files:
    """The path of every file that `figure` needs of a place, or one for each model where it needs that of a family.

    `runs` may hold those of other places too; `prepared` is the folder of the prepared corpus.
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


def paths_of(files: Files) -> list[str]:
    """All paths of `files`, for the inputs of a rule."""
    return [path for value in files.values() for path in ([value] if isinstance(value, str) else value.values())]


def source_file(place: Place, prepared: str) -> str:
    """The file that tells which text or series a prepared corpus is; that of a text lies above those of its units."""
    return f"{prepared if place.unit == SERIES else posixpath.dirname(prepared)}/source.json"


def place_of(experiment: Experiment, corpus: str, unit: str) -> Place:
    """The place of a corpus and unit; InputError where the experiment has none."""
    place = Place(experiment.folder, corpus, unit)
    if place not in experiment.prepared:
        known = ", ".join(f"{place.corpus} by {place.unit}" for place in experiment.prepared)
        raise InputError(
            f"{experiment.folder}/runs.json has no {shown(corpus)} by {shown(unit)}; it has {known or 'none'}"
        )
    return place


def report_files(prepared: Mapping[Place, str], runs: Iterable[Run]) -> list[str]:
    """Every file that the report of an experiment is made from: `prepared` and `runs` are those of `Experiment`."""
    files = []
    for place, folder in prepared.items():
        series = place.unit == SERIES
        files += [source_file(place, folder)] + [f"{folder}/series.json"] * series
        files += [place.file(name) for name in (SERIES_TABLES if series else TABLES)]
        files += [figure_file(place, name) for name in figures_of(place)]
    for run in runs:
        files += [run.file("metrics.json"), run.file("card.yaml")]
        if run.unit == SERIES:
            files += [run.file(ORDERS_FILE)] if run.model == "autoregression" else []
        elif run.family not in WITHOUT_SAMPLE:
            files.append(run.file("sample.txt"))
    return list(dict.fromkeys(files))  # units of one corpus share its source

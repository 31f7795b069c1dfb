"""The files of the models of series, and what the configuration says of them."""

from seqlab.report.contents import SERIES_FIGURES


def forecast_metrics_of(wildcards):
    """The metrics of every model of one series."""
    return [f"results/forecast/{wildcards.series}/{model}/metrics.json" for model in FORECASTS[wildcards.series]]


def forecasts_of(wildcards):
    """The forecasts of every model of one series."""
    return [path.replace("metrics.json", "forecasts.npz") for path in forecast_metrics_of(wildcards)]


def all_forecast_metrics():
    """The metrics of every model of every series."""
    return [f"results/forecast/{series}/{model}/metrics.json" for series, runs in FORECASTS.items() for model in runs]


def all_forecast_lists():
    """The lists of the models of every series."""
    return [f"results/forecast/{series}/runs.txt" for series in FORECASTS]


def all_forecast_tables():
    """The tables of every series."""
    return [f"results/forecast/{series}/{name}.csv" for series in FORECASTS for name in ("summary", "models")]


def all_forecast_figures():
    """Every figure of every series."""
    return [f"results/forecast/{series}/figures/{name}.svg" for series in FORECASTS for name in SERIES_FIGURES]


def window_of(wildcards):
    """The autoregression whose window a perceptron takes; nothing for other networks."""
    perceptron = wildcards.model.startswith("mlp-")
    return [f"results/forecast/{wildcards.series}/autoregression/model.json"] if perceptron else []


def file_of(wildcards):
    """The local file that a series is read from, or nothing."""
    return [os.path.expanduser(SERIES[wildcards.series]["path"])] if "path" in SERIES[wildcards.series] else []


def series_definition_of(wildcards):
    """The block of a series, as JSON; the path of a local file is an input instead."""
    return json.dumps({key: value for key, value in SERIES[wildcards.series].items() if key != "path"})


def forecast_run_of(wildcards):
    """Settings and seeds of one model of a series, as JSON."""
    return json.dumps(FORECASTS[wildcards.series][wildcards.model])

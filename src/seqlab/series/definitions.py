"""Series and forecasting models of an experiment; imports no heavy modules."""

import os
from pathlib import Path
from typing import Any

from seqlab.axes import list_network_runs, list_values
from seqlab.configuration import check_shares
from seqlab.io.errors import InputError, quote
from seqlab.io.names import append_digest, check_name, check_path, name_corpus, shorten_path
from seqlab.io.runs import SERIES
from seqlab.io.schemas import check, read_schema

FILE_KEYS = ("column", "columns", "exogenous", "decimal", "period", "difference")  # of the configuration, for a file


def add_series(config: dict[str, Any], series: dict[str, Any]) -> dict[str, Any]:
    """Return `series`, the blocks of config/series.yaml, with one for the file that the key series names; texts are
    then used only where the key corpus names one. Raises InputError for the first invalid key of the section forecast.
    """
    for key in ("columns", "exogenous"):
        if config.get(key) and (not config.get("series") or config["series"] in series):
            raise InputError(
                f"the configuration key {key!r} is for a series that the key series gives as a file; for a named "
                "series write it into its block in config/series.yaml"
            )
    if config.get("series"):
        config["forecast"]["series"], series = define_series_of_file(config, series)
        config["corpora"] = config["corpora"] if config.get("corpus") else []
    check_series(config, series)
    return series


def check_series(config: dict[str, Any], series: dict[str, Any]) -> None:
    """Raise InputError where a series named in `config` has no block in `series`, or an invalid name or path."""
    for name in config["forecast"]["series"]:
        if name not in series:
            names = ", ".join(sorted(map(str, series)))
            raise InputError(f"series {quote(name)} is unknown; config/series.yaml has {names}")
        check_name("series", name)
        check(series[name], read_schema("series"), f"config/series.yaml: series {name}:")
        check_columns(name, series[name])
        check_path(series[name].get("path", ""))
    check_shares("forecast.split", config["forecast"]["split"])


def list_columns(definition: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the names of the columns to forecast, and of the exogenous ones, which are inputs only; both are empty
    where the block names none.
    """
    columns = definition.get("columns") or ([definition["column"]] if "column" in definition else [])
    return columns, definition.get("exogenous", [])


def check_columns(name: str, definition: dict[str, Any]) -> None:
    """Raise InputError where the block of the series `name` names columns in a contradictory way."""
    columns, exogenous = list_columns(definition)
    if "column" in definition and "columns" in definition:
        raise InputError(f"series {name} has both column and columns; write all names in columns")
    if exogenous and "columns" not in definition:
        raise InputError(
            f"series {name} has exogenous columns and no columns to forecast; name these, as in columns: [price]"
        )
    if shared := [column for column in columns if column in exogenous]:
        raise InputError(
            f"column {quote(shared[0])} of series {name} is both in columns and in exogenous; keep it in columns to "
            "forecast it, or in exogenous to use it as an input only"
        )
    units = definition.get("unit", "")
    if isinstance(units, list) and len(units) != len(columns):
        raise InputError(f"series {name} has {len(units)} units for {len(columns)} columns; give one for each column")


def define_series_of_file(config: dict[str, Any], series: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Return the names of the series of `config["series"]`, a name in `series` or the path of a CSV file, and `series`
    with its block, which takes the FILE_KEYS from `config`.

    Raises InputError where it is neither.
    """
    name_or_path = config["series"]
    if name_or_path in series:
        return [name_or_path], series
    name_or_path = os.path.expanduser(name_or_path)  # noqa: PTH111, where Path.expanduser raises an error for an unknown user
    path = Path(name_or_path)
    if not os.path.isfile(name_or_path):  # noqa: PTH113, where Path.is_file raises an error for a name that is too long
        names = ", ".join(sorted(map(str, series)))
        raise InputError(
            f"series {quote(name_or_path)} is neither a CSV file nor a name in config/series.yaml ({names}); correct it"
        )
    options = {key: config[key] for key in FILE_KEYS if config.get(key)}
    texts = {key: ", ".join(value) if isinstance(value, list) else value for key, value in options.items()}
    source = ", ".join([shorten_path(name_or_path), *(f"{key} {value}" for key, value in texts.items())])
    name = name_corpus(path, source, series, "_".join(list_columns(options)[0]), SERIES)
    block = {"title": path.name, "kind": "csv", "path": name_or_path, "licence": "your own", "source": source}
    return [name], series | {name: block | options}


def list_forecast_runs(forecast: dict[str, Any], definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every model of a series, {"settings", "seeds"} by name, from the section forecast and the series."""
    runs: dict[str, dict[str, Any]] = {"persistence": {"settings": {}, "seeds": []}}
    if "period" in definition:
        runs["seasonal-persistence"] = {"settings": {"period": definition["period"]}, "seeds": []}
    runs["autoregression"] = {"settings": {"max_order": forecast["max_order"]}, "seeds": []}
    shape = {"cell": list_values(forecast["networks"]), "layers": forecast["layers"], "hidden": forecast["hidden"]}
    for model, settings in list_network_runs("forecast", shape | forecast["training"]).items():
        runs[model] = {"settings": settings, "seeds": forecast["seeds"]}
    return runs


def prepared_series_name(forecast: dict[str, Any], default: dict[str, Any]) -> str:
    """Return the folder of a split series: `series`, with a digest where split or needs differ from `default`."""
    settings = ({"split": block["split"], "needs": longest_needs(block)} for block in (forecast, default))
    return append_digest(SERIES, *settings)


def longest_needs(forecast: dict[str, Any]) -> dict[str, int]:
    """Return the needs of a series in values: the highest order and horizon, and the steps of a subsequence."""
    steps = max(list_values(forecast["training"]["steps"])) if forecast["networks"] else 0
    return {"order": forecast["max_order"], "horizon": max(forecast["horizons"]), "steps": steps}

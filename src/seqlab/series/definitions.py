"""Which series an experiment forecasts, and with which models; like `configuration`, it loads nothing heavy."""

import os
from pathlib import Path
from typing import Any

from seqlab.axes import network_runs, values_of
from seqlab.configuration import check_shares
from seqlab.io.errors import InputError, quote
from seqlab.io.names import append_digest, check_name, check_path, name_corpus, shorten_path
from seqlab.io.runs import SERIES
from seqlab.io.schemas import check, read_schema


def with_series(config: dict[str, Any], series: dict[str, Any]) -> dict[str, Any]:
    """`series`, the blocks of config/series.yaml, with one for the file that the key series names; then no text is read
    unless the key corpus names one. Raises InputError for the first thing that is wrong in the section forecast.
    """
    if config.get("series"):
        config["forecast"]["series"], series = series_of_file(config, series)
        config["corpora"] = config["corpora"] if config.get("corpus") else []
    check_series(config, series)
    return series


def check_series(config: dict[str, Any], series: dict[str, Any]) -> None:
    """Raises InputError where a series named in `config` has no block in `series`, or a name or path of no use."""
    for name in config["forecast"]["series"]:
        if name not in series:
            known = ", ".join(sorted(map(str, series)))
            raise InputError(f"series {quote(name)} is unknown; config/series.yaml has {known}")
        check_name("series", name)
        check(series[name], read_schema("series"), f"config/series.yaml: series {name}:")
        check_path(series[name].get("path", ""))
    check_shares("forecast.split", config["forecast"]["split"])


def series_of_file(config: dict[str, Any], series: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The series of an experiment on `config["series"]`, a name in `series` or the path of a CSV file, and `series`
    with its block, which takes `column`, `decimal`, `period` and `difference` from `config`.

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
    given = {key: config[key] for key in ("column", "decimal", "period", "difference") if config.get(key)}
    source = ", ".join([shorten_path(name_or_path), *(f"{key} {value}" for key, value in given.items())])
    name = name_corpus(path, source, series, config.get("column", ""), SERIES)
    block = {"title": path.name, "kind": "csv", "path": name_or_path, "licence": "your own", "source": source}
    return [name], series | {name: block | given}


def forecast_runs(forecast: dict[str, Any], definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every model of a series, {"settings", "seeds"} by name, from the section forecast and the block of the series."""
    runs: dict[str, dict[str, Any]] = {"persistence": {"settings": {}, "seeds": []}}
    if "period" in definition:
        runs["seasonal-persistence"] = {"settings": {"period": definition["period"]}, "seeds": []}
    runs["autoregression"] = {"settings": {"max_order": forecast["max_order"]}, "seeds": []}
    shape = {"cell": values_of(forecast["networks"]), "layers": forecast["layers"], "hidden": forecast["hidden"]}
    for model, settings in network_runs("forecast", shape | forecast["training"]).items():
        runs[model] = {"settings": settings, "seeds": forecast["seeds"]}
    return runs


def prepared_series_name(forecast: dict[str, Any], default: dict[str, Any]) -> str:
    """The folder of a series cut along time: `series`, and a digest where split or needs are not those of `default`."""
    both = ({"split": block["split"], "needs": longest_needs(block)} for block in (forecast, default))
    return append_digest(SERIES, *both)


def longest_needs(forecast: dict[str, Any]) -> dict[str, int]:
    """What a series must be long enough for: the highest order and horizon, and the steps of a subsequence."""
    steps = max(values_of(forecast["training"]["steps"])) if forecast["networks"] else 0
    return {"order": forecast["max_order"], "horizon": max(forecast["horizons"]), "steps": steps}

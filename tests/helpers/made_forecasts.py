"""A small finished series that obeys the contracts in docs/files.md, for tests of what comes after."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from made_results import list_runs

from seqlab.io.cards import write_card
from seqlab.io.files import write_text
from seqlab.io.runs import FORECAST, SERIES, Place, Run
from seqlab.io.tables import write_table
from seqlab.series.autoregression import Autoregression, try_orders
from seqlab.series.persistence import persistence, seasonal_persistence
from seqlab.series.record import forecast_points, forecast_series, record_forecasts
from seqlab.series.series import Series, sine
from seqlab.series.splits import Prepared, prepare_series, write_prepared
from seqlab.series.tables import summarize_forecasts

HORIZONS = [1, 4]
SHARES = {"train": 0.5, "valid": 0.2, "test": 0.3}
NEEDS = {"order": 5, "horizon": 4, "steps": 8}
HISTORY = "epoch,seed,train_loss,valid_loss,learning_rate,gradient_norm\n"


class Pair:
    """Two replicas of one autoregression, the second a little off, as two seeds of a network would be."""

    seeds = (1, 2)

    def __init__(self, model: Autoregression) -> None:
        self.model = model

    def start(self, values, origins):
        return self.model.start(values, origins).repeat(2, axis=0)

    def predict(self, state):
        mean, deviation = self.model.predict(state)
        mean[1] += 0.05
        return mean, deviation

    def advance(self, state, values):
        return self.model.advance(state, values)

    def correlate(self, noise):
        return self.model.correlate(noise)

    def repeat(self, state, times):
        return self.model.repeat(state, times)


def scalar_autoregression(intercept: float, coefficients: list[float], deviation: float) -> Autoregression:
    """The autoregression of a single column."""
    matrices = np.array(coefficients)[:, None, None]
    return Autoregression(np.array([intercept]), matrices, np.array([deviation]), np.eye(1))


def make_series(difference: bool = False) -> Prepared:
    """A noisy sine of 240 values and period 40, cut and scaled."""
    made = sine(240, 0.157, 0.2, 1)
    series = Series(
        ["height"], made.index, made.values, {"noise": 0.2, "lyapunov": 0.1, "predictable": 3.0}, ["A note."]
    )
    definition = {"title": "A <wave>", "period": 40, "difference": difference, "unit": "m", "step": "hour"}
    return prepare_series("wave", series, definition, SHARES, NEEDS)


def make_vectors(difference: bool = False) -> Prepared:
    """A flow in litres and a level in metres that follows it, with rain as an input: 240 vectors, cut and scaled."""
    noise = np.random.default_rng(1).standard_normal((240, 3))
    rain, flow, level = np.abs(noise[:, 0]), [100.0], [2.0]
    for shower, first, second in zip(rain, 10 * noise[1:, 1], 0.01 * noise[1:, 2], strict=False):
        level.append(2 + 0.005 * (flow[-1] - 100) + second)
        flow.append(100 + 0.6 * (flow[-1] - 100) + 20 * shower + first)
    series = Series(
        ["flow", "level", "rain"], [str(hour) for hour in range(240)], np.column_stack([flow, level, rain]), {}, []
    )
    columns = {"columns": ["flow", "level"], "exogenous": ["rain"], "unit": ["l/s", "m"]}
    definition = columns | {"title": "A river", "period": 24, "difference": difference, "step": "hour"}
    return prepare_series("river", series, definition, SHARES, NEEDS)


def make_forecasts(root: Path, experiment: str = "made", prepared: Prepared | None = None) -> Path:
    """Write a finished series, that of `make_series` or `prepared`, under root/results/{experiment}/{name}/series and
    root/results/corpora/{name}/series, and list its models in the runs.json of the experiment; returns the folder of
    its tables.
    """
    prepared = prepared or make_series()
    place = Place(str(root / "results" / experiment), prepared.name, SERIES)
    folder = root / "results" / "corpora" / prepared.name / SERIES
    write_prepared(prepared, folder / "series.csv", folder / "series.json")
    runs = []
    for model, paths, first in (
        ("persistence", persistence, 1),
        ("seasonal-persistence", partial(seasonal_persistence, period=prepared.period), prepared.period),
    ):
        made = {
            split: forecast_points(paths, prepared, prepared.origins(split, 1, first), horizons)
            for split, horizons in (("valid", [1]), ("test", HORIZONS))
        }
        runs.append(_with_card(place, model, []))
        record_forecasts(runs[-1].folder, prepared, made, [None])
    orders = try_orders(prepared.scaled, prepared.learnt, prepared.splits["valid"], 5, len(prepared.columns))
    model = Autoregression.fit(prepared.scaled[: prepared.learnt[1]], 3)
    for name, forecaster, seeds in (("autoregression", model, []), ("gru-1x4", Pair(model), [1, 2])):
        made = {
            split: forecast_series(forecaster, prepared, prepared.origins(split, 1), horizons, 8)
            for split, horizons in (("valid", [1]), ("test", HORIZONS))
        }
        training: dict[str, Any] = {"seconds": 1.5, "parameters": 5, "notes": [f"a note on {name}"]}
        if seeds:
            training["fit"] = {"train_loss": 1.0, "valid_loss": 0.5, "still_falling": True}
        runs.append(_with_card(place, name, seeds))
        record_forecasts(runs[-1].folder, prepared, made, forecaster.seeds, training)
    write_table(runs[2].file("orders.csv"), orders)
    rows = [f"{epoch},{seed},1.0,{1 / epoch},0.01,0.5\n" for epoch in (1, 2) for seed in (1, 2)]
    write_text(runs[3].file("history.csv"), HISTORY + "".join(rows))
    list_runs(runs, folder)
    summary, models = summarize_forecasts(runs)
    write_table(place.file("summary.csv"), summary)
    write_table(place.file("models.csv"), models)
    return Path(place.file(""))


def _with_card(place: Place, model: str, seeds: list[int]) -> Run:
    run = Run(*place, FORECAST, model)
    settings = {"cell": "gru", "layers": 1, "hidden": 4} if seeds else {}
    card = {"series": place.corpus, "family": FORECAST, "model": model, "settings": settings, "seeds": seeds}
    write_card(run.file("card.yaml"), card | {"data": {"table": "0" * 64, "description": "1" * 64}})
    return run

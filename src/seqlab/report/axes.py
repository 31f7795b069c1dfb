"""Axes of the networks in a models.csv: labels, values, and how much of the validation bits they explain."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from seqlab.ledger.statistics import CONFIDENCE
from seqlab.report.style import format_number, format_tick
from seqlab.report.tables import list_axes

AXIS_LABELS = {"hidden": "hidden units"}
SHARE_DEFINITION = (
    "The share of an axis is that of a main effect in an analysis of variance: the sum of squares of the means of its "
    "values around the mean of all networks, weighted by networks, divided by the sum of squares of all networks. It "
    "is computed on the validation bits per symbol, the mean over seeds."
)


@dataclass(frozen=True)
class ValueEffect:
    """Mean validation bits per symbol of all networks with one value of an axis, and its 95 % t interval.

    The interval treats networks as a sample; it is NaN for a single network.
    """

    value: str
    networks: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class AxisEffect:
    """Main effect of an axis: the share of the variance that it explains, 0 to 1, and its values."""

    axis: str
    share: float
    values: list[ValueEffect]


@dataclass(frozen=True)
class SweepEffects:
    """Effects of all axes, the largest share first.

    `networks` have finite bits, and `infinite` networks are left out. `is_full` is true where every combination of
    the values has one network, so that the shares of the axes add up to at most 1.
    """

    axes: list[AxisEffect]
    networks: int
    infinite: int
    is_full: bool


def label_axis(axis: str) -> str:
    """Return the name of an axis in words."""
    return AXIS_LABELS.get(axis, axis.replace("_", " "))


def format_value(value: Any) -> str:
    """Format a value of an axis."""
    if isinstance(value, str):
        return value
    return "none" if pd.isna(value) else format_tick(float(value))


def list_axis_values(networks: pd.DataFrame, axis: str) -> list[Any]:
    """Return the values of an axis in rising order; None, for networks without the setting, comes last."""
    column = networks[axis]
    return [*sorted(column.dropna().unique()), *([None] if column.isna().any() else [])]


def select_value(networks: pd.DataFrame, axis: str, value: Any) -> pd.DataFrame:
    """Return the rows of `networks` with a value of an axis; None selects those without the setting."""
    return networks[networks[axis].isna() if value is None else (networks[axis] == value).fillna(False).astype(bool)]


def estimate_effects(models: pd.DataFrame) -> SweepEffects | None:
    """Return the main effects of the axes of all networks in `models`, a models.csv; None for fewer than two axes.

    An axis has several values among the networks with finite validation bits. See SHARE_DEFINITION.
    """
    networks = models[(models["family"] == "rnn") & (models["split"] == "valid")]
    finite = networks[np.isfinite(networks["bits_per_symbol"])]
    varied = list_axes(finite)
    if len(varied) < 2:
        return None
    bits = finite["bits_per_symbol"]
    total = float(((bits - bits.mean()) ** 2).sum())
    effects = []
    for axis in varied:
        values = [_estimate_value(finite, axis, value) for value in list_axis_values(finite, axis)]
        between = sum(value.networks * (value.mean - bits.mean()) ** 2 for value in values)
        effects.append(AxisEffect(axis, float(between / total) if total else 0.0, values))
    points = math.prod(len(effect.values) for effect in effects)
    is_full = len(finite) == points == len(finite.drop_duplicates(varied))
    effects.sort(key=lambda effect: -effect.share)
    return SweepEffects(effects, len(finite), len(networks) - len(finite), is_full)


def describe_effects(effects: SweepEffects) -> list[str]:
    """Return sentences on the order of the axes by their shares, and on the limits of that order."""
    if effects.networks <= 1 + sum(len(effect.values) - 1 for effect in effects.axes):
        return [
            f"{effects.networks} networks are too few to say what mattered: the axes have as many free values, so each "
            "network could be explained alone. Add networks that differ in one setting."
        ]
    shares = [f"{label_axis(effect.axis)} {effect.share:.0%}".replace("%", " %") for effect in effects.axes]
    sentences = [
        f"What mattered: of the variance of validation bits over {effects.networks} networks, {', '.join(shares)}."
    ]
    if effects.is_full:
        rest = max(0.0, 1 - sum(effect.share for effect in effects.axes))
        sentences.append(f"Interactions of axes explain the other {rest:.0%}.".replace("%", " %"))
    else:
        sentences.append(
            "The design is not full: some combinations of values have no network, so axes share variance and the "
            "shares need not add up to 100 %."
        )
    if effects.infinite:
        sentences.append(f"Networks with infinite bits are left out: {effects.infinite}.")
    return sentences


def format_effects(effects: SweepEffects) -> list[dict[str, Any]]:
    """Return the rows of the table of effects, one for each value of each axis, as text."""
    return [
        {
            "axis": label_axis(effect.axis),
            "share": f"{effect.share:.1%}".replace("%", " %"),
            "value": value.value,
            "networks": value.networks,
            "mean": format_number(value.mean),
            "interval": "–" if math.isnan(value.low) else f"{format_number(value.low)} to {format_number(value.high)}",
            "best": value.mean == min(other.mean for other in effect.values),
        }
        for effect in effects.axes
        for value in effect.values
    ]


def _estimate_value(networks: pd.DataFrame, axis: str, value: Any) -> ValueEffect:
    bits = select_value(networks, axis, value)["bits_per_symbol"]
    mean, count = float(bits.mean()), len(bits)
    half = math.nan
    if count > 1:
        half = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2) * bits.std(ddof=1) / math.sqrt(count))
    return ValueEffect(format_value(value), count, mean, mean - half, mean + half)

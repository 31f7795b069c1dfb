"""Effects of axes: an analysis of variance by hand, designs with holes, and infinite networks."""

import itertools
import math

import pandas as pd
import pytest

from seqlab.report.axes import SweepEffects, describe_effects, estimate_effects, format_effects

HIDDEN, DROPOUT = (16, 32), (0.0, 0.3)
TENS = {16: 3.0, 32: 2.0}
TENTHS = {0.0: 0.2, 0.3: 0.0}


def make_models(points: list[tuple[int, float]]) -> pd.DataFrame:
    rows = [
        {"family": "rnn", "model": f"gru-1x{hidden}-{dropout}", "split": "valid", "cell": "gru", "layers": 1}
        | {"hidden": hidden, "dropout": dropout, "bits_per_symbol": TENS[hidden] + TENTHS[dropout]}
        for hidden, dropout in points
    ]
    empty = {"epochs": 1, "learning_rate": 0.1, "recurrent_dropout": 0.0}
    return pd.DataFrame([row | empty for row in rows])


def estimate(models: pd.DataFrame) -> SweepEffects:
    effects = estimate_effects(models)
    assert effects is not None
    return effects


def test_shares_are_those_of_an_additive_design() -> None:
    effects = estimate(make_models(list(itertools.product(HIDDEN, DROPOUT))))
    # squares around the mean 2.6: 4 * 0.5 ** 2 between hidden units, 4 * 0.1 ** 2 between rates of dropout
    assert [effect.axis for effect in effects.axes] == ["hidden", "dropout"]
    assert [effect.share for effect in effects.axes] == pytest.approx([1 / 1.04, 0.04 / 1.04])
    assert effects.is_full
    assert describe_effects(effects) == [
        "What mattered: of the variance of validation bits over 4 networks, hidden units 96 %, dropout 4 %.",
        "Interactions of axes explain the other 0 %.",
    ]


def test_the_interval_of_a_mean_is_that_of_student() -> None:
    effects = estimate(make_models(list(itertools.product(HIDDEN, DROPOUT))))
    small = effects.axes[0].values[0]
    # two networks of 3.2 and 3.0: the mean is 3.1, its standard error 0.1, and t with one degree of freedom 12.706
    assert (small.value, small.networks) == ("16", 2)
    assert (small.mean, small.low, small.high) == pytest.approx((3.1, 3.1 - 1.2706, 3.1 + 1.2706), abs=1e-4)


def test_a_design_with_a_hole_is_said_to_have_one() -> None:
    effects = estimate(make_models([(16, 0.0), (16, 0.0), (32, 0.0), (32, 0.3)]))
    assert not effects.is_full and "The design is not full" in describe_effects(effects)[1]
    lonely = [row for row in format_effects(effects) if row["networks"] == 1]
    assert {row["interval"] for row in lonely} == {"–"}


def test_networks_as_few_as_free_values_are_not_explained() -> None:
    effects = estimate(make_models([(16, 0.0), (32, 0.0), (32, 0.3)]))
    assert [sentence.partition(":")[0] for sentence in describe_effects(effects)] == [
        "3 networks are too few to say what mattered"
    ]


def test_infinite_networks_are_left_out_and_counted() -> None:
    models = make_models([*itertools.product(HIDDEN, DROPOUT), (16, 0.0)])
    models.loc[4, "bits_per_symbol"] = math.inf
    effects = estimate(models)
    assert (effects.networks, effects.infinite) == (4, 1)
    assert describe_effects(effects)[-1] == "Networks with infinite bits are left out: 1."


def test_equal_networks_have_no_variance_to_explain() -> None:
    models = make_models(list(itertools.product(HIDDEN, DROPOUT))).assign(bits_per_symbol=2.0)
    assert [effect.share for effect in estimate(models).axes] == [0.0, 0.0]


def test_a_single_axis_is_no_sweep_to_divide() -> None:
    assert estimate_effects(make_models([(16, 0.0), (32, 0.0)])) is None

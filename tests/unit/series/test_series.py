"""Series, their splits along time, and the scale that comes from train alone."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seqlab.io.errors import InputError
from seqlab.io.files import write_text
from seqlab.series.series import BUILTIN_SERIES, Series, build_series, logistic_map, sine, us_economy, weekly_co2
from seqlab.series.splits import Scale, prepare_series, read_prepared, write_prepared

SHARES = {"train": 0.5, "valid": 0.2, "test": 0.3}
NEEDS = {"order": 3, "horizon": 4, "steps": 8}
DEFINITIONS = yaml.safe_load((Path(__file__).parents[3] / "config/series.yaml").read_text(encoding="utf-8"))


def series(values: list[float]) -> Series:
    index = [str(row) for row in range(1, len(values) + 1)]
    return Series(["value"], index, np.array(values, dtype=float)[:, None], {}, [])


def csv(folder: Path, values: list[object]) -> dict[str, object]:
    path = folder / "mine.csv"
    path.write_text("value\n" + "".join(f"{value}\n" for value in values))
    return {"kind": "csv", "path": str(path)}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_series_of_the_shipped_configuration_are_whole(name: str) -> None:
    made = build_series(name, DEFINITIONS[name])
    assert len(made.values) == len(made.index) >= 200
    assert np.isfinite(made.values).all()


def test_every_builtin_series_is_shipped() -> None:
    assert {definition["builtin"] for definition in DEFINITIONS.values()} == set(BUILTIN_SERIES)


def test_the_sine_is_one_with_noise_around_it() -> None:
    made = sine(1000, 0.01, 0.2, 1).values[:, 0]
    noise = made - np.sin(0.01 * np.arange(1, 1001))
    assert noise.std() == pytest.approx(0.2, rel=0.1)
    assert abs(noise.mean()) < 0.03


def test_the_logistic_map_has_its_lyapunov_exponent_and_spread() -> None:
    made = logistic_map(20_000, 0.3, 0.0001, 1)
    slope = np.log(np.abs(4 - 8 * made.values)).mean()  # of the map, averaged over the orbit
    assert slope == pytest.approx(made.known["lyapunov"], rel=0.02)
    assert made.values.std() == pytest.approx(1 / np.sqrt(8), rel=0.02)


def test_two_orbits_of_the_logistic_map_part_after_the_horizon_of_predictability() -> None:
    noise = 0.001
    horizon = logistic_map(10, 0.3, noise, 1).known["predictable"]
    orbits = [logistic_map(60, start, 0.0, 1).values for start in np.linspace(0.1, 0.9, 400)]
    others = [logistic_map(60, start + noise, 0.0, 1).values for start in np.linspace(0.1, 0.9, 400)]
    apart = np.sqrt(np.mean((np.array(orbits) - np.array(others)) ** 2, axis=0))
    assert apart[int(horizon) - 4] < 0.5 * apart[-1]
    assert apart[int(horizon) + 3] > 0.8 * apart[-1]


def test_missing_weeks_lie_on_the_line_between_their_neighbours() -> None:
    raw, made = weekly_co2(), build_series("weekly_co2", DEFINITIONS["weekly_co2"])
    (first, *_) = np.flatnonzero(np.isnan(raw.values))
    after = first + int(np.argmax(~np.isnan(raw.values[first:])))
    line = np.linspace(raw.values[first - 1], raw.values[after], after - first + 2)
    np.testing.assert_allclose(made.values[first - 1 : after + 1], line)
    present = ~np.isnan(raw.values)
    np.testing.assert_array_equal(made.values[present], raw.values[present])
    assert made.notes[0].startswith("59 of 2,284 values are missing in the source")


def test_missing_values_are_refused_where_nothing_else_is_said() -> None:
    definition = {key: value for key, value in DEFINITIONS["weekly_co2"].items() if key != "missing"}
    with pytest.raises(InputError, match=r"row 7 of column 'co2' of series weekly_co2 \(at 1958-05-10\) has no value"):
        build_series("weekly_co2", definition)


def test_a_constant_series_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="column 'value' of series flat is 5 in every row, from 1 to 40"):
        build_series("flat", csv(tmp_path, [5] * 40))


def test_a_constant_train_split_is_refused() -> None:
    with pytest.raises(InputError, match="column 'value' of series s is the same in rows 1 to 20"):
        prepare_series("s", series([1.0] * 25 + [2.0, 3.0] * 8), {}, {"train": 0.5, "valid": 0.2, "test": 0.3}, NEEDS)


@pytest.mark.parametrize("unit", [1e-13, 1e-60, 1e60])
def test_what_is_constant_does_not_depend_on_the_unit(tmp_path: Path, unit: float) -> None:
    values = (2 + np.random.default_rng(1).standard_normal(100)) * unit
    found = build_series("s", csv(tmp_path, values.tolist()))
    prepared = prepare_series("s", found, {}, SHARES, NEEDS)
    assert prepared.scaled[:50].std() == pytest.approx(1)
    with pytest.raises(InputError, match="in every row, from 1 to 100"):
        build_series("s", csv(tmp_path, [unit] * 100))
    with pytest.raises(InputError, match="rises by the same amount in rows 1 to 50"):
        prepare_series("s", series([*(unit * np.arange(50)), *values[50:]]), {"difference": True}, SHARES, NEEDS)


@pytest.mark.parametrize("unit", [1e-80, 1e80])
def test_values_whose_scores_would_vanish_are_refused(tmp_path: Path, unit: float) -> None:
    with pytest.raises(InputError, match="give them in another unit"):
        build_series("s", csv(tmp_path, [unit, 2 * unit, unit]))


def test_a_straight_line_has_no_changes_to_learn() -> None:
    with pytest.raises(InputError, match="column 'value' of series s rises by the same amount in rows 1 to 50"):
        prepare_series("s", series([0.5 * t for t in range(100)]), {"difference": True}, SHARES, NEEDS)


@pytest.mark.parametrize(
    ("needs", "sentence"),
    [
        ({"horizon": 31}, "ends at row 100 of column 'value', which leaves 30 values for test, where a horizon of 31"),
        (
            {"order": 24},
            "ends at row 100 of column 'value', which leaves 50 values for train, where forecast",
        ),
        ({"steps": 46}, "leaves 50 values for train, where forecast.training.steps 46 needs 51"),
    ],
)
def test_a_series_shorter_than_order_and_horizon_is_refused(needs: dict[str, int], sentence: str) -> None:
    values = np.random.default_rng(1).standard_normal(100).tolist()
    with pytest.raises(InputError, match=sentence):
        prepare_series("s", series(values), {}, SHARES, NEEDS | needs)


def test_a_period_longer_than_what_is_known_is_refused() -> None:
    values = np.random.default_rng(1).standard_normal(100).tolist()
    with pytest.raises(
        InputError, match="period of series s is 70, where it must be from 2 to 69, as test begins at row"
    ):
        prepare_series("s", series(values), {"period": 70}, SHARES, NEEDS)


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        ({"kind": "builtin", "builtin": "sinus"}, "key 'builtin' is 'sinus'; it must be one of sine"),
        ({"kind": "builtin", "builtin": "sine", "settings": {"lenght": 5}}, "settings of series s are invalid"),
        ({"kind": "csv", "pth": "x"}, "key 'pth' is unknown; did you mean 'path'"),
        ({"kind": "csv"}, "key 'path' is missing"),
        ({"title": "x"}, "key 'kind' is missing"),
        ({"kind": "builtin", "builtin": "sine", "period": "12"}, "series s: key 'period' is '12'"),
        ({"kind": "builtin", "builtin": "sine", "shown": 0}, "key 'shown' is 0; it must be at least 1"),
        ({"kind": "builtin", "builtin": "sine", "missing": "drop"}, "it must be one of refuse, interpolate"),
        (
            {
                "kind": "builtin",
                "builtin": "logistic_map",
                "settings": {"length": 9, "start": 2, "noise": 0, "seed": 1},
            },
            "settings of series s are invalid .start is 2, and must be above 0 and below 1",
        ),
    ],
)
def test_a_wrong_definition_is_refused(definition: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        build_series("s", definition)


def test_splits_follow_each_other_and_targets_lie_inside() -> None:
    values = np.random.default_rng(1).standard_normal(100).tolist()
    prepared = prepare_series("s", series(values), {}, SHARES, NEEDS)
    assert prepared.splits == {"train": (0, 50), "valid": (50, 70), "test": (70, 100)}
    origins = prepared.origins("test", 4)
    assert origins[0] + 1 == 70
    assert origins[-1] + 4 == 99


@pytest.mark.parametrize("difference", [False, True])
def test_the_scale_reads_train_alone(difference: bool) -> None:
    values = np.random.default_rng(1).standard_normal(100)
    changed = np.concatenate([values[:50], 1000 + values[50:]])
    scales = [prepare_series("s", series(list(each)), {"difference": difference}, SHARES, NEEDS).scale
              for each in (values, changed)]  # fmt: skip
    assert scales[0] == scales[1]


@given(st.lists(st.floats(-1e3, 1e3), min_size=12, max_size=40).filter(lambda values: np.ptp(values[:8]) > 1),
       st.booleans())  # fmt: skip
def test_scaled_values_lead_back_to_the_values(values: list[float], difference: bool) -> None:
    array = np.array(values)[:, None]
    if difference and np.diff(array[:8], axis=0).std() < 1e-3:
        return
    scale = Scale.fit(array[:8], difference)
    np.testing.assert_allclose(scale.path(array[3:4], scale.scaled(array)[None, 4:])[0], array[4:], atol=1e-6)


def test_files_hold_the_series_to_the_last_digit(tmp_path: Path) -> None:
    prepared = prepare_series("sine", sine(100, 0.01, 0.2, 1), {"period": 10}, SHARES, NEEDS)
    write_prepared(prepared, tmp_path / "series.csv", tmp_path / "series.json")
    found = read_prepared(tmp_path / "series.csv", tmp_path / "series.json")
    np.testing.assert_array_equal(found.values, prepared.values)
    assert (found.scale, found.splits, found.period) == (prepared.scale, prepared.splits, 10)


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    for name, length in (("a", 100), ("b", 120)):
        prepared = prepare_series("sine", sine(length, 0.01, 0.2, 1), {}, SHARES, NEEDS)
        write_prepared(prepared, tmp_path / f"{name}.csv", tmp_path / f"{name}.json")
    with pytest.raises(InputError, match=r"a.csv has [0-9]+ rows and"):
        read_prepared(tmp_path / "a.csv", tmp_path / "b.json")


def vectors(folder: Path, **keys: object) -> dict[str, object]:
    noise = np.random.default_rng(1).standard_normal((100, 3)) * [1.0, 1e-9, 1e6]
    lines = [",".join(map(repr, [day, *row])) for day, row in enumerate(noise.tolist())]
    (folder / "mine.csv").write_text("\n".join(["day,flow,level,rain", *lines]) + "\n")
    columns = {"columns": ["flow", "level"], "exogenous": ["rain"]}
    return {"kind": "csv", "path": str(folder / "mine.csv")} | columns | keys


@pytest.mark.parametrize("difference", [False, True])
def test_every_column_is_scaled_as_if_it_were_alone(tmp_path: Path, difference: bool) -> None:
    definition = vectors(tmp_path, difference=difference)
    together = prepare_series("s", build_series("s", definition), definition, SHARES, NEEDS)
    assert (together.columns, together.exogenous) == (["flow", "level"], ["rain"])
    for place, column in enumerate(("flow", "level", "rain")):
        single = {key: value for key, value in definition.items() if key not in ("columns", "exogenous")}
        alone = prepare_series("s", build_series("s", single | {"column": column}), single, SHARES, NEEDS)
        np.testing.assert_array_equal(together.scaled[:, [place]], alone.scaled)


@pytest.mark.parametrize("unit", ["m", ["m3/s", "m"]])
def test_files_hold_vectors_to_the_last_digit(tmp_path: Path, unit: object) -> None:
    definition = vectors(tmp_path, unit=unit)
    prepared = prepare_series("s", build_series("s", definition), definition, SHARES, NEEDS)
    write_prepared(prepared, tmp_path / "series.csv", tmp_path / "series.json")
    same = read_prepared(tmp_path / "series.csv", tmp_path / "series.json")
    np.testing.assert_array_equal(same.values, prepared.values)
    for name in ("columns", "units", "exogenous", "scale", "splits", "index"):
        assert getattr(same, name) == getattr(prepared, name), name


def test_a_table_of_other_columns_is_damage(tmp_path: Path) -> None:
    definition = vectors(tmp_path)
    prepared = prepare_series("s", build_series("s", definition), definition, SHARES, NEEDS)
    write_prepared(prepared, tmp_path / "series.csv", tmp_path / "series.json")
    write_text(tmp_path / "series.csv", "index,value\n" + "".join(f"{row},{row}\n" for row in range(100)))
    with pytest.raises(InputError, match=r"series\.json is damaged \(its columns are not those of series\.csv"):
        read_prepared(tmp_path / "series.csv", tmp_path / "series.json")


def test_missing_values_are_interpolated_in_their_column(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("day,flow,level\n1,1,5\n2,,6\n3,3,8\n4,5,\n5,6,10\n")
    block = {"kind": "csv", "path": str(tmp_path / "mine.csv"), "columns": ["flow", "level"]}
    series = build_series("s", block | {"missing": "interpolate"})
    assert series.values.tolist() == [[1, 5], [2, 6], [3, 8], [5, 9], [6, 10]]
    assert [note[:52] for note in series.notes] == [
        "1 of 5 values of column 'flow' are missing in the so",
        "1 of 5 values of column 'level' are missing in the s",
    ]
    with pytest.raises(InputError, match=r"row 2 of column 'flow' of .* is empty; fill the gap"):
        build_series("s", block)


def test_a_constant_column_among_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("flow,level\n" + "".join(f"{row},7\n" for row in range(40)))
    with pytest.raises(InputError, match="column 'level' of series s is 7 in every row, from 1 to 40"):
        build_series("s", {"kind": "csv", "path": str(tmp_path / "mine.csv"), "columns": ["flow", "level"]})


def test_vectors_need_more_rows_than_one_column_for_the_same_order(tmp_path: Path) -> None:
    definition = vectors(tmp_path)
    series = build_series("s", definition)
    prepare_series("s", series, definition, SHARES, NEEDS | {"order": 11})
    sentence = (
        r"of columns 'flow', 'level', 'rain', which leaves 50 values for train, where .*max_order 12 of 3 columns"
    )
    with pytest.raises(InputError, match=sentence):
        prepare_series("s", series, definition, SHARES, NEEDS | {"order": 12})


def test_columns_of_a_builtin_series_are_chosen_by_name() -> None:
    definition = {"kind": "builtin", "builtin": "us_economy", "columns": ["realinv"], "exogenous": ["tbilrate"]}
    series = build_series("s", definition)
    np.testing.assert_array_equal(series.values, us_economy().values[:, [2, 3]])
    with pytest.raises(InputError, match="series s has no column 'x'; it has realgdp, realcons, realinv, tbilrate"):
        build_series("s", definition | {"exogenous": ["x"]})

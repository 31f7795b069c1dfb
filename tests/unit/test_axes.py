"""Axes make a grid of runs whose names stay what they are when an experiment grows."""

import math
import subprocess
import sys
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.axes import LONGEST_NAME, MOST_RUNS, SHAPE, list_network_runs, list_values
from seqlab.io.errors import InputError

SETTINGS = {"cell": ["rnn", "lstm"], "layers": 1, "hidden": [8, 16], "dropout": [0.0, 0.3], "epochs": 7}


def test_a_list_is_an_axis_and_anything_else_is_one_value() -> None:
    assert list_values([1, 2]) == [1, 2]
    assert [list_values(value) for value in (1, "adam", None, False)] == [[1], ["adam"], [None], [False]]


def test_the_grid_has_every_point_in_the_order_of_its_axes_and_each_base_first() -> None:
    runs = list_network_runs("rnn", SETTINGS)
    points = product(["rnn", "lstm"], [1], [8, 16], [0.0, 0.3], [7])
    assert list(runs.values()) == [dict(zip(SETTINGS, point, strict=True)) for point in points]
    assert list(runs)[:4] == ["rnn-1x8", "rnn-1x8-dropout~0.3", "rnn-1x16", "rnn-1x16-dropout~0.3"]


def test_settings_without_a_list_make_one_run() -> None:
    settings = {"cell": "gru", "layers": 2, "hidden": 4, "clip": 1.0}
    assert list_network_runs("rnn", settings) == {"gru-2x4": settings}


def test_an_empty_axis_makes_no_runs() -> None:
    assert list_network_runs("rnn", SETTINGS | {"cell": []}) == {}
    assert list_network_runs("rnn", SETTINGS | {"cell": []}, {"runs": 0, "seed": 1}) == {}


@pytest.mark.parametrize(
    ("axis", "told"),
    [
        ([False, True], "true"),
        ([True, False], "false"),
        ([0.008, 0.01], "0.01"),
        ([0.008, 1e-05], "1e-5"),
        ([0.008, 1.5e-07], "1.5e-7"),
        ([0.008, 1e-10], "1e-10"),
        ([1.0, 1e22], "1e22"),
        ([0.0, 1.0], "1.0"),
        ([0.1, 0.30000000000000004], "0.30000000000000004"),
        ([7, 12], "12"),
        (["sequential", "random"], "random"),
    ],
)
def test_a_value_away_from_the_base_is_told_in_the_name(axis: list[Any], told: str) -> None:
    runs = list_network_runs("rnn", {"cell": "lstm", "layers": 2, "hidden": 256, "key": axis})
    assert list(runs) == ["lstm-2x256", f"lstm-2x256-key~{told}"]
    assert [run["key"] for run in runs.values()] == axis


scalars = st.booleans() | st.integers(0, 10**9) | st.floats(0, 1e9) | st.sampled_from(["adam", "sgd", "random"])
axes = st.lists(scalars, min_size=1, max_size=4, unique_by=lambda value: value)
grids = st.fixed_dictionaries(
    {
        "cell": st.lists(st.sampled_from(["rnn", "gru", "lstm"]), min_size=1, unique=True),
        "layers": st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True),
        "hidden": st.lists(st.integers(1, 9999), min_size=1, max_size=3, unique=True),
        "dropout": axes,
        "learning_rate": axes,
    }
)


@given(grids)
def test_different_points_never_share_a_name(grid: dict[str, list[Any]]) -> None:
    runs = list_network_runs("rnn", grid)
    assert len(runs) == math.prod(map(len, grid.values()))
    assert all(len(name.encode()) <= LONGEST_NAME for name in runs)


@given(grids, st.sampled_from(["cell", "layers", "hidden", "dropout", "learning_rate"]), scalars)
def test_a_value_behind_the_others_renames_nothing(grid: dict[str, list[Any]], key: str, value: Any) -> None:
    before = list_network_runs("rnn", grid)
    grown = grid if value in grid[key] else grid | {key: [*grid[key], value]}
    after = list_network_runs("rnn", grown)
    assert {name: after[name] for name in before} == before


@given(grids, axes)
def test_a_further_axis_renames_nothing_and_changes_no_setting(grid: dict[str, list[Any]], axis: list[Any]) -> None:
    before = list_network_runs("rnn", grid | {"clip": axis[0]})
    after = list_network_runs("rnn", grid | {"clip": axis})
    assert {name: after[name] for name in before} == before


def test_the_order_of_keys_does_not_matter_to_what_a_name_stands_for() -> None:
    settings = {"cell": "lstm", "layers": 1, "hidden": 8, "dropout": [0.0, 0.3], "clip": [1.0, 2.0]}
    runs = list_network_runs("rnn", settings)
    assert runs["lstm-1x8-clip~2.0-dropout~0.3"] == settings | {"dropout": 0.3, "clip": 2.0}


@given(grids, st.integers(0, 2**31), st.data())
def test_a_draw_takes_so_many_different_points_of_the_grid_in_its_order(
    grid: dict[str, list[Any]], seed: int, data: st.DataObject
) -> None:
    whole = list_network_runs("rnn", grid)
    runs = data.draw(st.integers(1, len(whole)))
    drawn = list_network_runs("rnn", grid, {"runs": runs, "seed": seed})
    assert len(drawn) == runs
    assert list(drawn) == [name for name in whole if name in drawn]
    assert drawn == {name: whole[name] for name in drawn}
    assert list_network_runs("rnn", grid, {"runs": runs, "seed": seed}) == drawn


def test_a_draw_of_none_takes_all() -> None:
    assert list_network_runs("rnn", SETTINGS, {"runs": 0, "seed": 9}) == list_network_runs("rnn", SETTINGS)


def test_another_seed_takes_other_points() -> None:
    settings = SETTINGS | {"hidden": list(range(1, 101))}
    assert list_network_runs("rnn", settings, {"runs": 5, "seed": 1}) != list_network_runs(
        "rnn", settings, {"runs": 5, "seed": 2}
    )


GRIDS: list[dict[str, Any]] = [{"cell": "rnn", "hidden": 141}, {"cell": "lstm", "hidden": [64, 45], "dropout": 0.5}]


def test_blocks_make_grids_of_their_own_whose_runs_are_put_together() -> None:
    runs = list_network_runs("rnn", SETTINGS, None, GRIDS)
    first = [{"cell": "rnn", "layers": 1, "hidden": 141, "dropout": dropout, "epochs": 7} for dropout in (0.0, 0.3)]
    second = [{"cell": "lstm", "layers": 1, "hidden": hidden, "dropout": 0.5, "epochs": 7} for hidden in (64, 45)]
    assert list(runs.values()) == first + second
    assert list(runs) == ["rnn-1x141", "rnn-1x141-dropout~0.3", "lstm-1x64", "lstm-1x45"]


def test_a_setting_that_all_blocks_share_is_in_no_name() -> None:
    blocks = [block | {"dropout": 0.5, "epochs": 20} for block in GRIDS]
    assert list(list_network_runs("rnn", SETTINGS, None, blocks)) == ["rnn-1x141", "lstm-1x64", "lstm-1x45"]


def test_a_second_block_of_a_shape_is_named_by_its_differences_from_the_first() -> None:
    blocks = [{"cell": "rnn", "hidden": 8}, {"cell": "rnn", "hidden": [8, 16], "dropout": 0.5}]
    names = list(list_network_runs("rnn", SETTINGS | {"dropout": 0.0}, None, blocks))
    assert names == ["rnn-1x8", "rnn-1x8-dropout~0.5", "rnn-1x16"]


def test_a_run_of_two_blocks_is_one_run() -> None:
    once = list_network_runs("rnn", SETTINGS, None, GRIDS)
    assert list_network_runs("rnn", SETTINGS, None, [*GRIDS, {"cell": "rnn", "hidden": 141, "dropout": 0.3}]) == once


@given(grids, st.lists(grids, min_size=1, max_size=3))
def test_different_runs_of_several_blocks_never_share_a_name(
    settings: dict[str, list[Any]], blocks: list[dict[str, list[Any]]]
) -> None:
    runs = list_network_runs("rnn", settings, None, blocks)
    keys = sorted(settings)
    points = {values for block in blocks for values in product(*(block[key] for key in keys))}
    assert {tuple(run[key] for key in keys) for run in runs.values()} == points
    assert len(runs) == len(points)


@given(grids, st.lists(grids, min_size=1, max_size=3))
def test_a_block_behind_the_others_renames_nothing(
    settings: dict[str, list[Any]], blocks: list[dict[str, list[Any]]]
) -> None:
    after = list_network_runs("rnn", settings, None, blocks)
    before = list_network_runs("rnn", settings, None, blocks[:-1]) if len(blocks) > 1 else {}
    assert {name: after[name] for name in before} == before


def test_a_draw_takes_as_many_points_of_each_block() -> None:
    blocks = [{"cell": cell, "hidden": list(range(1, 101))} for cell in ("rnn", "lstm")]
    runs = list_network_runs("rnn", SETTINGS, {"runs": 5, "seed": 1}, blocks)
    assert [run["cell"] for run in runs.values()] == 5 * ["rnn"] + 5 * ["lstm"]


def test_a_block_smaller_than_the_draw_is_named() -> None:
    with pytest.raises(
        InputError, match=r"^rnn\.draw\.runs is 3, but the grid of rnn\.grids\.0 has 2 points; lower it"
    ):
        list_network_runs("rnn", SETTINGS, {"runs": 3, "seed": 1}, GRIDS)


def test_blocks_with_too_many_runs_together_are_refused() -> None:
    blocks = [{"cell": cell, "hidden": list(range(1, MOST_RUNS // 3)), "dropout": 0.0} for cell in ("a", "b", "c", "d")]
    with pytest.raises(
        InputError, match=r"^rnn\.grids has more than 100,000 runs up to rnn\.grids\.3; shorten an axis$"
    ):
        list_network_runs("rnn", SETTINGS, None, blocks)


DRAWN = ["rnn-1x17", "rnn-1x35", "rnn-1x66", "lstm-1x46-dropout~0.3", "lstm-1x96-dropout~0.3"]


@pytest.mark.parametrize("hash_seed", ["0", "12345"])
def test_a_draw_is_the_same_in_every_process_and_on_every_machine(hash_seed: str) -> None:
    program = (
        "from seqlab.axes import list_network_runs\n"
        f"settings = {SETTINGS | {'hidden': list(range(1, 101))}!r}\n"
        "print(*list_network_runs('rnn', settings, {'runs': 5, 'seed': 1}))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == DRAWN


def test_a_draw_of_a_huge_grid_does_not_make_all_of_it() -> None:
    huge = SETTINGS | {f"key{number}": list(range(100)) for number in range(15)}
    assert len(list_network_runs("rnn", huge, {"runs": 3, "seed": 1})) == 3  # of 8 * 10**30 points


def test_a_larger_draw_keeps_the_points_of_a_smaller_one() -> None:
    settings = SETTINGS | {"hidden": list(range(1, 11))}
    draws = [list_network_runs("rnn", settings, {"runs": runs, "seed": 1}) for runs in (1, 5, 20, 40)]
    assert draws[-1] == list_network_runs("rnn", settings)
    assert all(set(smaller) < set(larger) for smaller, larger in pairwise(draws))


def test_a_draw_larger_than_the_grid_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"^rnn\.draw\.runs is 9, but the grid has 8 points; lower it, or set 0 \(all\)$"
    ):
        list_network_runs("rnn", SETTINGS, {"runs": 9, "seed": 1})


def test_a_grid_that_is_too_large_is_refused_with_its_axes_and_the_remedy() -> None:
    settings = SETTINGS | {"hidden": list(range(1, MOST_RUNS // 4 + 2))}
    with pytest.raises(InputError) as refused:
        list_network_runs("rnn", settings, {"runs": 0, "seed": 1})
    assert str(refused.value) == (
        "rnn has 100,004 runs (2 of cell, 25,001 of hidden, 2 of dropout), more than the limit of 100,000; shorten an "
        "axis, or take a sample with rnn.draw"
    )
    with pytest.raises(InputError, match=r"100,000; shorten an axis$"):  # series have no draw
        list_network_runs("forecast", settings)


def test_the_largest_grid_is_taken() -> None:
    assert len(list_network_runs("rnn", SETTINGS | {"hidden": list(range(1, MOST_RUNS // 4 + 1))})) == MOST_RUNS


def test_a_name_that_no_file_system_takes_is_refused() -> None:
    settings = SETTINGS | {f"a_setting_with_a_long_name_{number}": [0.0, 0.125] for number in range(6)}
    with pytest.raises(InputError, match=r"^rnn has so many axes that the name 'rnn-1x8-.*' has 2\d\d characters"):
        list_network_runs("rnn", settings)


def test_the_shape_is_part_of_every_name() -> None:
    assert set(SHAPE) <= set(SETTINGS)
    assert all(name.startswith(f"{run['cell']}-{run['layers']}x{run['hidden']}") for name, run in
               list_network_runs("rnn", SETTINGS).items())  # fmt: skip

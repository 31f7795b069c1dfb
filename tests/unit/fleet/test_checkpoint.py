"""Networks and interrupted trainings on disk."""

from pathlib import Path

import pytest
import torch

from seqlab.fleet.checkpoint import NETWORK, WEIGHTS, load_checkpoint, save_checkpoint, save_network
from seqlab.io.errors import InputError
from seqlab.io.files import read_json, write_json
from seqlab.rnn.network import Architecture, load_network

ARCHITECTURE = Architecture("lstm", 2, 4, 3)
SEEDS = [5, 9]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_network(tmp_path, ARCHITECTURE, ARCHITECTURE.initial_parameters(SEEDS), SEEDS)
    return tmp_path


def test_a_network_survives_being_saved(folder):
    architecture, parameters, seeds = load_network(folder)
    assert (architecture, seeds) == (ARCHITECTURE, SEEDS)
    expected = ARCHITECTURE.initial_parameters(SEEDS)
    assert parameters.keys() == expected.keys()
    assert all(torch.equal(parameters[name], value) for name, value in expected.items())


def test_an_option_of_a_cell_survives_and_is_left_out_where_there_is_none(tmp_path, folder):
    network = Architecture("deltanet", 1, 4, 3, beta_max=2.0)
    (tmp_path / "deltanet").mkdir()
    save_network(tmp_path / "deltanet", network, network.initial_parameters(SEEDS), SEEDS)
    assert load_network(tmp_path / "deltanet")[0] == network
    assert "beta_max" not in read_json(folder / NETWORK)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[:-10], id="cut off"),
        pytest.param(lambda content: content[:20], id="header cut off"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: b"not weights at all" * 10, id="something else"),
    ],
)
def test_damaged_weights_are_refused(folder, damage):
    path = folder / WEIGHTS
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"weights\.safetensors is damaged"):
        load_network(folder)


@pytest.mark.parametrize("change", [{"seeds": [5]}, {"hidden": 5}, {"layers": 1}, {"cell": "rnn"}, {"vocabulary": 4}])
def test_weights_of_another_network_are_refused(folder, change):
    path = folder / NETWORK
    write_json(path, read_json(path) | change)
    with pytest.raises(InputError, match=r"weights\.safetensors is damaged \(or it does not fit network\.json"):
        load_network(folder)


@pytest.mark.parametrize(
    "content",
    ['{"cell": "lstm", "lay', "{}", "[]", '{"seeds": [5, 9], "cell": "lstm", "layers": 2, "hidden": 4, "units": 3}'],
)
def test_a_damaged_description_is_refused(folder, content):
    (folder / NETWORK).write_text(content)
    with pytest.raises(InputError, match=r"network\.json is damaged"):
        load_network(folder)


@pytest.mark.parametrize("name", [WEIGHTS, NETWORK])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        load_network(folder)
    assert str(caught.value.filename) == str(folder / name)


def test_a_checkpoint_survives_being_saved(tmp_path):
    path = tmp_path / "unfinished.safetensors"
    tensors = {"weights": torch.randn(3, 4), "steps": torch.tensor([7.0], dtype=torch.float64)}
    state = {"history": [{"epoch": 1, "loss": 0.1 + 0.2}], "orders": [{"state": 2**100}]}
    save_checkpoint(path, tensors, state, "this run")
    found, found_state = load_checkpoint(path, "this run")
    assert found_state == state
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], value) and found[name].dtype == value.dtype for name, value in tensors.items())


def test_a_checkpoint_of_another_run_is_ignored(tmp_path):
    save_checkpoint(tmp_path / "unfinished.safetensors", {"weights": torch.ones(2)}, {}, "another run")
    assert load_checkpoint(tmp_path / "unfinished.safetensors", "this run") is None


def test_no_checkpoint_is_none(tmp_path):
    assert load_checkpoint(tmp_path / "unfinished.safetensors", "this run") is None


@pytest.mark.parametrize("kept", [0, 5, 40, -1])
def test_a_damaged_checkpoint_is_ignored(tmp_path, kept):
    path = tmp_path / "unfinished.safetensors"
    save_checkpoint(path, {"weights": torch.ones(50)}, {"history": []}, "this run")
    path.write_bytes(path.read_bytes()[:kept])
    assert load_checkpoint(path, "this run") is None


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "unfinished.safetensors"
    save_checkpoint(path, {"weights": torch.ones(2)}, {"epoch": 1}, "this run")
    broken = {"weights": torch.ones(2), "again": "not a tensor"}
    with pytest.raises(AttributeError):
        save_checkpoint(path, broken, {"epoch": 2}, "this run")
    assert load_checkpoint(path, "this run")[1] == {"epoch": 1}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [f".{path.name}.sha256", path.name]

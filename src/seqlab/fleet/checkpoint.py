"""Networks and interrupted trainings on disk: safetensors and JSON, never pickle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from seqlab.fleet.stack import Parameters, Stack
from seqlab.io.errors import InputError
from seqlab.io.files import damaged, read_json, replacing, unwritable, verified, write_json

WEIGHTS, NETWORK = "weights.safetensors", "network.json"
Network = TypeVar("Network", bound=Stack)


def save_network(folder: str | Path, network: Stack, parameters: Parameters, seeds: list[int]) -> None:
    """Write `parameters` (one replica for each of `seeds`) and the shapes of the network into `folder`.

    The description omits shapes at their defaults.
    """
    defaults = {field.name: field.default for field in fields(network)}
    shapes = {name: value for name, value in asdict(network).items() if value != defaults[name]}
    write_json(Path(folder) / NETWORK, shapes | {"seeds": seeds})
    _save(Path(folder) / WEIGHTS, parameters, {})


def load_stack(
    folder: str | Path, kind: type[Network], device: torch.device | str = "cpu"
) -> tuple[Network, Parameters, list[int]]:
    """Return the network, of class `kind`, its parameters and seeds, as `save_network` wrote them, on `device`.

    Raises InputError where a file is damaged or the two files do not belong together.
    """
    content = read_json(Path(folder) / NETWORK)
    try:
        seeds = content.pop("seeds")
        network = kind(**content)
        expected = {name: (len(seeds), *shape) for name, shape in network.shapes.items()}
    except (KeyError, TypeError):
        raise damaged(Path(folder) / NETWORK, "it is not the description of a network") from None
    path = Path(folder) / WEIGHTS
    if not path.exists():
        raise FileNotFoundError(2, "no such file", str(path))
    try:
        parameters, _ = _load(path)
    except (SafetensorError, ValueError) as error:
        raise damaged(path, error) from None
    if {name: tuple(value.shape) for name, value in parameters.items()} != expected:
        raise damaged(path, f"or it does not fit {NETWORK} beside it")
    return network, {name: value.to(device) for name, value in parameters.items()}, seeds


def save_checkpoint(path: str | Path, tensors: Mapping[str, Tensor], state: dict[str, Any], fingerprint: str) -> None:
    """Write the state from which an interrupted training continues; it replaces the old file when complete."""
    _save(Path(path), tensors, {"state": json.dumps(state), "fingerprint": fingerprint})


def load_checkpoint(path: str | Path, fingerprint: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors and state of a checkpoint; None where it is missing, damaged or of another `fingerprint`."""
    try:
        with safe_open(path, framework="pt") as file:  # without reading the tensors of another run
            if (file.metadata() or {}).get("fingerprint") != fingerprint:
                return None
        tensors, metadata = _load(Path(path))
        return tensors, json.loads(metadata["state"])
    except (SafetensorError, OSError, KeyError, ValueError, InputError):
        return None


def _load(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors and metadata of a file that `_save` wrote; InputError where the file is damaged."""
    with safe_open(verified(path), framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no dictionary
        return tensors, dict(file.metadata() or {})


def _save(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    values = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    try:
        with replacing(path) as temporary:
            save_file(values, temporary, metadata)
    except SafetensorError as error:  # raised for a full disk
        raise unwritable(path, error) from None

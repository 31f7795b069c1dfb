"""Networks and interrupted trainings on disk: safetensors and JSON, never pickle."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from seqlab.errors import InputError
from seqlab.files import read_json, replacing, write_json
from seqlab.rnn.network import Architecture, Parameters

WEIGHTS, NETWORK = "weights.safetensors", "network.json"


def save_network(folder: str | Path, architecture: Architecture, parameters: Parameters, seeds: list[int]) -> None:
    """Write `parameters` (one replica for each of `seeds`) and what is needed to use them into `folder`."""
    write_json(Path(folder) / NETWORK, asdict(architecture) | {"seeds": seeds})
    _save(Path(folder) / WEIGHTS, parameters, {})


def load_network(folder: str | Path) -> tuple[Architecture, Parameters, list[int]]:
    """What `save_network` wrote; InputError where a file is damaged or the two do not belong together."""
    content = read_json(Path(folder) / NETWORK)
    try:
        seeds = content.pop("seeds")
        architecture = Architecture(**content)
    except (KeyError, TypeError, AttributeError):
        raise InputError(
            f"{Path(folder) / NETWORK} is not the description of a network; delete it and run the workflow again"
        ) from None
    path = Path(folder) / WEIGHTS
    if not path.exists():
        raise FileNotFoundError(2, "no such file", str(path))
    try:
        parameters = load_file(path)
    except SafetensorError as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run the workflow again") from None
    expected = {name: (len(seeds), *shape) for name, shape in architecture.shapes.items()}
    if {name: tuple(value.shape) for name, value in parameters.items()} != expected:
        raise InputError(f"{path} does not fit {NETWORK} beside it; delete both and run the workflow again")
    return architecture, parameters, seeds


def save_checkpoint(path: str | Path, tensors: Mapping[str, Tensor], state: dict[str, Any], fingerprint: str) -> None:
    """Write everything an interrupted training needs to go on; the old checkpoint stays until the new one is whole."""
    _save(Path(path), tensors, {"state": json.dumps(state), "fingerprint": fingerprint})


def load_checkpoint(path: str | Path, fingerprint: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The tensors and state of a checkpoint, or None where there is none, it is damaged, or another card, data or
    code wrote it.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("fingerprint") != fingerprint:
                return None
        return load_file(path), json.loads(metadata["state"])
    except (SafetensorError, OSError, KeyError, ValueError):
        return None


def _save(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    values = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    try:
        with replacing(path) as temporary:
            save_file(values, temporary, metadata)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path} could not be written ({error}); what was there before is still there: make room, or see to the "
            "permissions, and run the same command again"
        ) from None

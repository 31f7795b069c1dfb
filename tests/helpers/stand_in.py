"""Stand-ins for a GPU, for machines without one.

`pretended_gpu` makes trainings on the processor take the ways that a GPU takes, with real numbers; a recorded step is
called anew for every batch. `fake_gpu` computes nothing at all: its tensors are torch's meta tensors, and whatever
mixes devices or reads a number on the host is an error. Both put other functions in the place of cuDNN's two.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from seqlab.fleet.accelerated import captured, fused, training, ways
from seqlab.rnn import scoring

WAITS = ("aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::is_nonzero", "aten::masked_select")


COPIES = ("aten::_to_copy", "aten::copy_", "aten::_copy_from", "aten::_pin_memory")


class WaitError(AssertionError):
    """Something in a recorded step would make the host wait for the GPU."""


class MixedDevicesError(AssertionError):
    """An operation has arguments on two devices."""


class OneDevice(TorchDispatchMode):
    """Refuses operations on tensors of two devices; with `waits` false also what would wait for a GPU."""

    def __init__(self, waits: bool = True) -> None:
        super().__init__()
        self.waits = waits

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function._schema.name
        if not self.waits and name in WAITS:
            raise WaitError(f"{name} waits for the GPU")
        devices = {
            value.device.type for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor) and value.dim()
        }
        if len(devices) > 1 and (name not in COPIES or not self.waits):
            raise MixedDevicesError(f"{name} has arguments on {' and '.join(sorted(devices))}")
        return function(*args, **(kwargs or {}))


def recorded_without_waits(work: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Stands for `graphs.record_graph`: calls `work` before, as a recording does, and refuses waits in it."""

    def step() -> None:
        with OneDevice(waits=False):
            work()

    for _ in range(3):
        step()
    return step


@pytest.fixture
def pretended_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trainings and scorings on the processor do what they would do on a GPU."""
    ways._failed.clear()
    for module in (training, scoring):
        monkeypatch.setattr(module, "is_accelerated", lambda device: True)
    for module in (captured, scoring):
        monkeypatch.setattr(module, "record_graph", recorded_without_waits)
    yield
    ways._failed.clear()


def cudnn_forward(
    cell: str, inputs: Tensor, weights: Tensor, state: Sequence[Tensor], trains: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`seqlab.fleet.accelerated.fused.cudnn_forward` by torch's kernels for processors."""
    first, parts, *_ = fused._cudnn(cell, inputs, weights, state, trains)
    before = tuple(part[None] for part in state)
    outputs, *last = fused.FUNCTIONS[cell](
        first, before if cell == "lstm" else before[0], parts, True, 1, 0.0, trains, False, False
    )
    return outputs, last[0][0], last[-1][0], inputs.new_zeros(1)


def cudnn_backward(
    cell: str,
    inputs: Tensor,
    weights: Tensor,
    state: Sequence[Tensor],
    outputs: Tensor,
    given: Tensor,
    last: Sequence[Tensor],
    reserved: Tensor,
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """`seqlab.fleet.accelerated.fused.cudnn_backward` by automatic differentiation."""
    with torch.enable_grad():
        leaves = [value.detach().requires_grad_() for value in (inputs, weights, *state)]
        again, hidden, memory, _ = cudnn_forward(cell, leaves[0], leaves[1], leaves[2:], True)
        ends = [hidden, memory][: len(state)]
        of_inputs, of_weights, *of_state = torch.autograd.grad([again, *ends], leaves, [given, *last])
    _, parts, *_ = fused._cudnn(cell, inputs, of_weights, state, True)
    return of_inputs, of_state, parts


@contextmanager
def fake_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """A device that computes nothing and refuses what a GPU would refuse."""
    monkeypatch.setattr(captured, "record_graph", recorded_without_waits)
    monkeypatch.setattr(fused, "cudnn_forward", _fake_forward)
    monkeypatch.setattr(fused, "cudnn_backward", _fake_backward)
    with OneDevice():
        yield torch.device("meta")


def _fake_forward(cell: str, inputs: Tensor, weights: Tensor, state: Sequence[Tensor], trains: bool) -> Any:
    """Shapes and devices alone; all arguments must be on one device."""
    steps, size = len(inputs), state[0].shape[-1]
    together = weights.sum() + sum(part.sum() for part in state)
    outputs = inputs.sum(-1, keepdim=True).expand(steps, -1, size) + together
    return outputs, outputs[-1], outputs[-1], weights


def _fake_backward(
    cell: str, inputs: Tensor, weights: Tensor, state: Sequence[Tensor], outputs: Tensor, given: Tensor, *more: Any
) -> Any:
    _, parts, *_ = fused._cudnn(cell, inputs, weights + outputs.sum() + given.sum(), state, True)
    return torch.ones_like(inputs), [torch.ones_like(part) for part in state], parts

"""Stacked layers of one cell with a linear output, the network that text and series share.

Parameters are a plain dictionary, named as in the module; R is the number of replicas, i the size of an input, h the
hidden size, o the size of an output, G the gates of the cell (1 for the plain RNN, 3 for a GRU, 4 for an LSTM):

    W_xh_1 (R, i, G h)   W_xh_2 .. (R, h, G h)   W_hh_l (R, h, G h)   b_h_l (R, 1, G h)   W_hq (R, h, o)   b_q (R, 1, o)

Some cells have no W_hh, or other parameters of each layer l: see `Cell.shapes`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from seqlab.fleet.accelerated import ways
from seqlab.fleet.accelerated.fused import encode_one_hot, fused_layer
from seqlab.fleet.cells import LAYERS, PROJECTION, State
from seqlab.fleet.products import affine, look_up, look_up_on_gpu
from seqlab.machine.devices import check_memory, is_accelerated

EMBEDDING = "W_xe"  # the parameter that holds a vector for each symbol, in networks of `seqlab.rnn.network`
OUTPUT_TABLE = "W_eq"  # the embedding as output weights, where it differs from the one that symbols are looked up in

Parameters = dict[str, Tensor]
Drop = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Stack:
    """A network of `layers` layers of `hidden` units of a cell; subclasses define its inputs and outputs."""

    section: ClassVar[str]  # the section of the configuration that describes such networks, for messages

    cell: str
    layers: int
    hidden: int
    beta_max: float | None = field(default=None, kw_only=True)  # of deltanet; None for the published value

    @property
    def inputs(self) -> int:
        """The size of an input of the first layer."""
        raise NotImplementedError

    @property
    def outputs(self) -> int:
        """The size of an output."""
        raise NotImplementedError

    @property
    def reads_symbols(self) -> bool:
        """Return whether the first layer takes indices of symbols, not vectors."""
        return False

    @property
    def options(self) -> dict[str, float | None]:
        """The settings of the network that its layers take."""
        return {name: getattr(self, name) for name in LAYERS[self.cell].options}

    @property
    def notes(self) -> list[str]:
        """Notes on the shape for users of the results, one sentence each."""
        return []

    def bound(self, name: str) -> float:
        """The largest initial absolute value of the parameter `name`: 1 / sqrt(h)."""
        return self.hidden**-0.5

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """The shape of every parameter of one replica; the bias of the output, b_q, is one of them."""
        kind, shapes = LAYERS[self.cell], dict[str, tuple[int, int]]()
        for layer in range(1, self.layers + 1):
            of_layer = kind.shapes(self.inputs if layer == 1 else self.hidden, self.hidden)
            shapes |= {f"{name}_{layer}": shape for name, shape in of_layer.items()}
        return shapes | {"W_hq": (self.hidden, self.outputs), "b_q": (1, self.outputs)}

    @property
    def parameters(self) -> int:
        """The number of trained values of one replica; one bias per cell, as in the module (torch.nn has two)."""
        return sum(rows * columns for rows, columns in self.shapes.values())

    def initial_parameters(self, seeds: Sequence[int]) -> Parameters:
        """Return initial parameters, a replica for each seed: uniform within `bound`, biases 0, and those that the cell
        defines. A replica depends on its own seed alone.
        """
        replicas, defined = [], LAYERS[self.cell].initial
        for seed in seeds:
            random = torch.Generator().manual_seed(seed)
            replica = {}
            for name, shape in self.shapes.items():
                bound, (base, _, _) = self.bound(name), name.rpartition("_")
                replica[name] = torch.empty(shape).uniform_(-bound, bound, generator=random)
                if base in defined:
                    replica[name] = defined[base](replica[name])
                elif name.startswith("b_"):
                    replica[name].zero_()
            replicas.append(replica)
        return {name: torch.stack([replica[name] for replica in replicas]) for name in self.shapes}

    def zero_state(self, parameters: Parameters, rows: int) -> list[State]:
        """The zero state of every layer for `rows` rows of a batch, each tensor (R, rows, ...).

        Raises InputError where the memory can't hold it: matrices of large networks take much.
        """
        like, shapes = parameters["b_q"], LAYERS[self.cell].state_shapes(self.hidden)
        values = self.layers * len(like) * rows * sum(map(math.prod, shapes))
        section, width = self.section, self.hidden
        subject = f"the state of {self.cell} for {len(like)} networks of {width} units and {rows} sequences at once"
        remedy = f"lower {section}.hidden, {section}.training.batch_size or the number of {section}.seeds"
        check_memory(values * like.element_size(), like.device, subject, remedy)
        return [tuple(like.new_zeros(len(like), rows, *shape) for shape in shapes) for _ in range(self.layers)]

    def forward(
        self,
        parameters: Parameters,
        inputs: Tensor,
        state: list[State],
        drop: Drop | None = None,
        precision: torch.dtype | None = None,
    ) -> tuple[Tensor, list[State]]:
        """Outputs for `inputs`, (n, R, B, o), and the state after them; module Eq. (8) to (11).

        `inputs` are indices of symbols, (R, B, n), or vectors, (n, R, B, i). `drop` is applied to the outputs of every
        layer, (n, R, B, h), outside the recurrence; the factors of products are rounded to `precision` unless it is
        None.
        """
        hidden, after = self.run_layers(parameters, inputs, state, drop, precision)
        return self.outputs_from(parameters, hidden, precision), after

    def outputs_from(self, parameters: Parameters, hidden: Tensor, precision: torch.dtype | None = None) -> Tensor:
        """Outputs, (n, R, B, o), from those of the last layer, `hidden` (n, R, B, h); module Eq. (9)."""
        return affine(hidden, parameters["W_hq"], parameters["b_q"], precision)

    def embed(self, parameters: Parameters, inputs: Tensor, drop: Drop | None) -> Tensor:
        """Inputs of the first layer: `inputs` themselves, unless a network has an embedding."""
        return inputs

    def run_layers(
        self,
        parameters: Parameters,
        inputs: Tensor,
        state: list[State],
        drop: Drop | None = None,
        precision: torch.dtype | None = None,
    ) -> tuple[Tensor, list[State]]:
        """Outputs of the last layer, (n, R, B, h), and the state after; the arguments are those of `forward`."""
        layer_inputs, after = self.embed(parameters, inputs, drop), []
        names = LAYERS[self.cell].shapes(self.inputs, self.hidden)
        for number, before in enumerate(state, start=1):
            weights = {name: parameters[f"{name}_{number}"] for name in names}
            outputs, last = run_layer(self.cell, layer_inputs, before, weights, precision, **self.options)
            after.append(last)
            layer_inputs = drop(outputs) if drop else outputs
        return layer_inputs, after


def run_layer(
    cell: str,
    inputs: Tensor,
    state: State,
    weights: Parameters,
    precision: torch.dtype | None = None,
    **options: float | None,
) -> tuple[Tensor, State]:
    """Return the outputs of a layer, (n, R, B, h), and the state after them, by the fastest implementation.

    `inputs` are indices, (R, B, n), or the outputs of the layer below, (n, R, B, i); `weights` are the parameters of
    the layer, by the names of `Cell.shapes`.
    """
    way = ways.choose_way(describe_layer(cell, inputs, state, weights, precision))
    return compute_layer(way, cell, inputs, state, weights, precision, **options)


def describe_layer(
    cell: str, inputs: Tensor, state: State, weights: Parameters, precision: torch.dtype | None
) -> ways.LayerShape:
    """Return the properties that decide on its implementation; the arguments are those of `run_layer`."""
    w_xh = weights["W_xh"]
    is_first = not inputs.is_floating_point()
    steps, rows = (inputs.shape[2], inputs.shape[1]) if is_first else (inputs.shape[0], inputs.shape[2])
    values = state[0].shape[2:].numel() if state else 0
    rounded = w_xh.dtype if precision is None else precision
    symbols = w_xh.shape[1] if is_first else None
    hidden = weights["W_hh"].shape[1] if "W_hh" in weights else values
    return ways.LayerShape(cell, symbols, hidden, values, len(w_xh), rows, steps, w_xh.device, w_xh.dtype, rounded)


def compute_layer(
    way: str,
    cell: str,
    inputs: Tensor,
    state: State,
    weights: Parameters,
    precision: torch.dtype | None = None,
    **options: float | None,
) -> tuple[Tensor, State]:
    """Compute `run_layer` in the given `way`, one of `ways.list_ways`."""
    kind, is_first = LAYERS[cell], not inputs.is_floating_point()
    w_xh, bias = (weights[name] for name in PROJECTION)
    if kind.gates_inputs or way == ways.FUSED:
        dense = encode_one_hot(inputs, w_xh.shape[1], w_xh) if is_first else inputs
        if way == ways.FUSED:
            return fused_layer(cell, dense, state, w_xh, weights["W_hh"], bias)
        return kind.layer(dense, state, *weights.values(), precision=precision, **options)
    rows_of = look_up_on_gpu if is_accelerated(w_xh.device) else look_up
    projected = rows_of(inputs, w_xh, bias) if is_first else affine(inputs, w_xh, bias, precision)
    kernels = ways.load_kernels() if way == ways.KERNELS else None
    if kernels:
        return kernels.step_layer(cell, projected, state, weights["W_hh"])
    if way == ways.COMPILED:
        from seqlab.fleet.accelerated.compiled import compiled_layer  # here: it loads numba

        return compiled_layer(cell, projected, state, weights["W_hh"])
    others = [value for name, value in weights.items() if name not in PROJECTION]
    layer = kind.scan if kind.scan and way == ways.SCAN else kind.layer
    return layer(projected, state, *others, precision=precision, **options)

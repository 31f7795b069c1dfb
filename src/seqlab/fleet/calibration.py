"""Measurement of the implementations of a fleet's layers, before it trains."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from seqlab.fleet.accelerated import ways
from seqlab.fleet.accelerated.graphs import record_graph
from seqlab.fleet.cells import LAYERS
from seqlab.fleet.products import TORCH, draw_product, prefer_products
from seqlab.fleet.settings import rounding_type, uses_tf32
from seqlab.fleet.stack import compute_layer, describe_layer
from seqlab.machine.calibration import Calibration
from seqlab.machine.devices import is_accelerated, use_tf32

if TYPE_CHECKING:
    from seqlab.fleet.fleet import Fleet

SCALE = 0.1  # of the values in a measured pass
PRODUCTS = "products"
LAYER_NAMES = {"first layer": 1, "later layers": 2}
LEAST_SYMBOLS = 1_000_000  # of all networks and epochs, from which it pays to load the compiler


def choose_ways(fleet: "Fleet", symbols: int, calibration: Calibration) -> dict[str, str]:
    """Return the fastest implementation of the layers of `fleet`, by LAYER_NAMES, and of PRODUCTS, from `calibration`.

    `symbols` are those of an epoch. A short training does without compiled loops.
    """
    settings = fleet.settings
    use_tf32(uses_tf32(settings.precision))
    trained = settings.batches * settings.batch_size * settings.steps or symbols
    is_long = len(fleet.seeds) * settings.epochs * trained >= LEAST_SYMBOLS
    choices = {}
    if fleet.precision == "float32" and fleet.parameters["b_q"].device.type == "cpu":
        choices[PRODUCTS] = calibration.choose("a product of large matrices", draw_product(), TORCH)
        prefer_products(choices[PRODUCTS])  # the layers use them
    for name, number in LAYER_NAMES.items():
        if number <= fleet.network.layers:
            layer = _draw_layer(fleet, number)
            if way := choose_layer_way(layer, calibration, is_long, **fleet.network.options):
                choices[name] = way
    return choices


def choose_layer_way(
    layer: tuple[Any, ...], calibration: Calibration, is_long: bool = True, **options: float | None
) -> str | None:
    """Return the fastest implementation of a `layer`, the first five arguments of `run_layer`; None if there is one.

    It is measured by a pass forward and backward. The loops that have to be compiled count where `is_long` is true.
    """
    shape = describe_layer(*layer)
    existing = [way for way in ways.list_ways(shape) if is_long or way != ways.COMPILED]
    if is_accelerated(shape.device):  # a loop launches kernels for every operation of every step
        existing = [way for way in existing if way != ways.LOOP] or existing
    if len(existing) == 1:
        return None
    candidates = {way: _training_pass(way, layer, options) for way in existing}
    question = _describe(shape, layer[3]["W_xh"].shape[1]) + ("" if is_long else ", for a short training")
    return calibration.choose(question, candidates, ways.choose_usual_way(shape))


def prefer_ways(fleet: "Fleet") -> None:
    """Compute the layers of `fleet` by its `ways` from now on."""
    prefer_products(fleet.ways.get(PRODUCTS, TORCH))
    for name, number in LAYER_NAMES.items():
        if name in fleet.ways:
            ways.prefer_way(describe_layer(*_draw_layer(fleet, number)), fleet.ways[name])


def _draw_layer(fleet: "Fleet", number: int) -> tuple[Any, ...]:
    """Return cell, inputs, state, weights and precision of a layer, as for a batch: arguments of `run_layer`."""
    network, settings, like = fleet.network, fleet.settings, fleet.parameters["b_q"]
    replicas, rows, steps = len(like), settings.batch_size, settings.steps
    names = LAYERS[network.cell].shapes(network.inputs, network.hidden)
    weights = {name: fleet.parameters[f"{name}_{number}"] for name in names}
    if number == 1 and network.reads_symbols:
        inputs = torch.zeros(replicas, rows, steps, dtype=torch.int64, device=like.device)
    else:
        inputs = torch.full((steps, replicas, rows, weights["W_xh"].shape[1]), SCALE, device=like.device)
    state = network.zero_state(fleet.parameters, rows)[number - 1]
    precision = rounding_type(settings.precision, network.cell, network.hidden, like.device.type)
    return network.cell, inputs, state, weights, precision


def _training_pass(way: str, layer: tuple[Any, ...], options: dict[str, Any]) -> Callable[[], object]:
    """Return a function that computes a layer and its gradients in this `way`, recorded where trainings are."""
    cell, inputs, state, weights, precision = layer
    leaves = {name: value.detach().requires_grad_() for name, value in weights.items()}
    entered = inputs.clone().requires_grad_() if inputs.is_floating_point() else inputs
    entrances = [entered] if inputs.is_floating_point() else []

    def compute() -> object:
        outputs, _ = compute_layer(way, cell, entered, state, leaves, precision, **options)
        return torch.autograd.grad(outputs, [*entrances, *leaves.values()], torch.full_like(outputs, SCALE))

    recorded: list[Callable[[], object]] = []

    def compute_recorded() -> object:
        if not recorded:
            recorded.append(record_graph(compute, inputs.device))
        return recorded[0]()

    return compute_recorded


def _describe(shape: ways.LayerShape, inputs: int) -> str:
    """Return a layer in words, as the name of a choice."""
    entered = f"{inputs} inputs" if shape.symbols is None else f"{shape.symbols} symbols"
    factors = str(shape.factors).removeprefix("torch.")
    return (
        f"a layer of {shape.hidden} units, cell {shape.cell}, {entered}, {shape.replicas} networks, "
        f"{shape.rows} x {shape.steps} symbols, {factors}, {shape.device.type}"
    )

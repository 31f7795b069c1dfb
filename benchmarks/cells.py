"""A layer of every cell, forward and backward, beside torch.nn.GRU in one run; and scans beside time loops.

    python benchmarks/cells.py [--hidden 64 256] [--precisions float32 bfloat16]
    python benchmarks/cells.py --scans

Batch 32, 35 steps, one replica, one thread, gradients of all weights. A first layer takes indices of 64 symbols, and
its peer an embedding of the hidden size into torch.nn.GRU; a later layer takes vectors of the hidden size, and their
gradient is computed too. The peer computes in float32. Times are those of the processor, which other work on the
machine changes little. `ratio` is the tokens a second of a cell by those of the peer, `to_gru` by those of seqlab's
GRU in the same precision. As in training, a cell rounds to bfloat16 only from the hidden size on that
`Cell.rounded_from` names, or with `--always-round`.

With `--scans` the seconds of a pass by the time loop and by the scan, by steps and by values of the state (rows of the
batch times hidden units), for the cells that have both; `seqlab.fleet.cells.linear` has the borders. The last line is
JSON.
"""

import argparse
import json
import time
from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from ngram import machine
from recurrence import BATCH, STEPS, VOCABULARY, best_times

from seqlab.fleet.cells import CELLS, State
from seqlab.fleet.settings import rounding_type
from seqlab.fleet.stack import run_layer
from seqlab.io.errors import command
from seqlab.machine.devices import use_threads

SCAN_STEPS, SCAN_VALUES = (8, 16, 32, 64, 128), (64, 256, 512, 1_024, 2_048)


def draw_layer(cell: str, inputs: int, hidden: int, rows: int) -> tuple[dict[str, torch.Tensor], State]:
    """Return weights of a layer, as large as initial ones, and its zero state."""
    shapes = CELLS[cell].shapes(inputs, hidden)
    weights = {name: torch.randn(1, *shape).mul_(hidden**-0.5).requires_grad_() for name, shape in shapes.items()}
    return weights, tuple(torch.zeros(1, rows, *shape) for shape in CELLS[cell].state_shapes(hidden))


def first_pass(cell: str, hidden: int, factors: torch.dtype | None) -> Callable[[], Any]:
    """Return one pass of a first layer."""
    weights, state = draw_layer(cell, VOCABULARY, hidden, BATCH)
    inputs, gradient = torch.randint(VOCABULARY, (1, BATCH, STEPS)), torch.randn(STEPS, 1, BATCH, hidden)
    return lambda: torch.autograd.grad(
        run_layer(cell, inputs, state, weights, factors)[0], list(weights.values()), gradient
    )


def later_pass(cell: str, hidden: int, factors: torch.dtype | None) -> Callable[[], Any]:
    """Return one pass of a later layer."""
    weights, state = draw_layer(cell, hidden, hidden, BATCH)
    inputs, gradient = torch.randn(STEPS, 1, BATCH, hidden, requires_grad=True), torch.randn(STEPS, 1, BATCH, hidden)
    return lambda: torch.autograd.grad(
        run_layer(cell, inputs, state, weights, factors)[0], [inputs, *weights.values()], gradient
    )


def peer_passes(hidden: int) -> list[Callable[[], Any]]:
    """Return one pass of torch.nn.GRU as a first and as a later layer."""
    embedding, module = torch.nn.Embedding(VOCABULARY, hidden), torch.nn.GRU(hidden, hidden)
    indices, gradient = torch.randint(VOCABULARY, (STEPS, BATCH)), torch.randn(STEPS, BATCH, hidden)
    vectors = torch.randn(STEPS, BATCH, hidden, requires_grad=True)
    weights = list(module.parameters())
    return [
        lambda: torch.autograd.grad(module(embedding(indices))[0], [*embedding.parameters(), *weights], gradient),
        lambda: torch.autograd.grad(module(vectors)[0], [vectors, *weights], gradient),
    ]


def measure_cells(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Print and return a row for every cell, hidden size, precision and kind of layer."""
    columns = ["cell", "hidden", "layer", "products in", "tokens/s", "to torch.nn.GRU", "to seqlab's GRU"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    rows: list[dict[str, Any]] = []
    for hidden, (place, layer) in product(arguments.hidden, enumerate(("first", "later"))):
        make = first_pass if layer == "first" else later_pass
        cases = list(product(arguments.cells, arguments.precisions))
        passes = [peer_passes(hidden)[place]]
        for cell, precision in [*[("gru", precision) for precision in arguments.precisions], *cases]:
            rounds = arguments.always_round and precision == "bfloat16"
            passes.append(make(cell, hidden, torch.bfloat16 if rounds else rounding_type(precision, cell, hidden)))
        peer, *times = best_times(passes, arguments.seconds, time.process_time)
        grus, times = dict(zip(arguments.precisions, times, strict=False)), times[len(arguments.precisions) :]
        for (cell, precision), seconds in zip(cases, times, strict=True):
            row = {"cell": cell, "hidden": hidden, "layer": layer, "precision": precision}
            row |= {"tokens_per_second": round(STEPS * BATCH / seconds), "ratio": round(peer / seconds, 2)}
            rows.append(row | {"to_gru": round(grus[precision] / seconds, 2)})
            print(f"| {cell} | {hidden} | {layer} | {precision} ", end="")
            print(f"| {row['tokens_per_second']:,} | {row['ratio']:.2f} | {rows[-1]['to_gru']:.2f} |", flush=True)
    return rows


def measure_scans(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Print and return a row for every cell with a scan, number of steps and size of the state."""
    columns = ["cell", "steps", "values", "loop, ms", "scan, ms", "loop / scan"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    rows = []
    scanned = [cell for cell in arguments.cells if CELLS[cell].scan]
    for cell, values, steps in product(scanned, SCAN_VALUES, SCAN_STEPS):
        hidden, kind = 64, CELLS[cell]
        weights, state = draw_layer(cell, VOCABULARY, hidden, values // hidden)
        projected = torch.randn(steps, 1, values // hidden, weights.pop("W_xh").shape[2], requires_grad=True)
        del weights["b_h"]
        gradient, others = torch.randn(steps, 1, values // hidden, hidden), list(weights.values())

        def run(layer: Any, arrays: Any = (projected, state, others, gradient)) -> None:
            projected, state, others, gradient = arrays
            torch.autograd.grad(layer(projected, state, *others)[0], [projected, *others], gradient)

        loop, scan = best_times(
            [lambda run=run, kind=kind: run(kind.layer), lambda run=run, kind=kind: run(kind.scan)],
            arguments.seconds,
            time.process_time,
        )
        rows.append({"cell": cell, "steps": steps, "values": values, "loop_seconds": loop, "scan_seconds": scan})
        print(f"| {cell} | {steps} | {values} | {1e3 * loop:.3f} | {1e3 * scan:.3f} | {loop / scan:.2f} |", flush=True)
    return rows


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", default=list(CELLS), choices=list(CELLS))
    parser.add_argument("--hidden", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"], choices=["float32", "bfloat16"])
    parser.add_argument("--always-round", action="store_true", help="round in small layers too")
    parser.add_argument("--scans", action="store_true", help="compare scans with time loops")
    parser.add_argument("--seconds", type=float, default=0.5, help="seconds for each measurement")
    arguments = parser.parse_args()
    use_threads(1)
    torch.manual_seed(1)
    print(f"torch {torch.__version__}, one thread; {machine()}")
    rows = measure_scans(arguments) if arguments.scans else measure_cells(arguments)
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()

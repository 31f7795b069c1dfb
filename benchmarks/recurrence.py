"""Forward and backward pass through one recurrent layer, compared with torch.nn in one run.

    python benchmarks/recurrence.py [--hidden 32 64 128 256 512] [--replicas 1 5] [--precisions float32 bfloat16]
    python benchmarks/recurrence.py --device cuda --precisions float32 tf32 bfloat16

The peer is what most people write: an embedding of the hidden size into torch.nn.RNN, GRU or LSTM, and for R replicas R
of them one after the other. seqlab does what training does at that shape: it takes the implementation that is measured
as the fastest (seqlab.fleet.calibration), and computes small layers in float32 whatever the precision
(settings.rounding_type), unless `--always-round` is given. Both take the same
indices of 64 symbols, batch 32, 35 steps, and end with the gradients of all weights. `ratio` is the tokens a second of
seqlab by those of the peer, which computes in float32; on a GPU seqlab's pass is a CUDA graph, as in training, the
peer computes in the same precision, and `graph_ratio` compares it with torch.nn as a CUDA graph. `peak_share` is the
share that seqlab's products reach of the float32 products a second of two large matrices in the same run. On
processors one thread is used. The last line is JSON.
"""

import argparse
import json
import time
from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from ngram import machine

from seqlab.fleet.accelerated.graphs import record_graph
from seqlab.fleet.accelerated.ways import prefer_way
from seqlab.fleet.calibration import choose_layer_way
from seqlab.fleet.cells import CELLS
from seqlab.fleet.settings import rounding_type, uses_tf32
from seqlab.fleet.stack import describe_layer, run_layer
from seqlab.io.errors import command
from seqlab.machine.calibration import open_calibration
from seqlab.machine.devices import choose_device, use_tf32, use_threads

MODULES = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
STEPS, BATCH, VOCABULARY = 35, 32, 64


def seqlab_pass(cell: str, hidden: int, replicas: int, precision: str, always: bool = False) -> Callable[[], Any]:
    """Return one pass of a fleet, in bfloat16 where training uses it, or `always`."""
    device = torch.get_default_device()
    rounds = always and precision == "bfloat16" and device.type == "cpu"
    factors = torch.bfloat16 if rounds else rounding_type(precision, cell, hidden, device.type)
    shapes = CELLS[cell].shapes(VOCABULARY, hidden)
    scales = {name: 0.0 if name.startswith("b_") else hidden**-0.5 for name in shapes}
    weights = {name: torch.randn(replicas, *shape).mul_(scales[name]) for name, shape in shapes.items()}
    weights = {name: value.requires_grad_() for name, value in weights.items()}
    inputs = torch.randint(VOCABULARY, (replicas, BATCH, STEPS))
    state = tuple(torch.zeros(replicas, BATCH, *shape) for shape in CELLS[cell].state_shapes(hidden))
    gradient = torch.randn(STEPS, replicas, BATCH, hidden)

    def run() -> Any:
        outputs, _ = run_layer(cell, inputs, state, weights, factors)
        return torch.autograd.grad(outputs, list(weights.values()), gradient)

    use_tf32(uses_tf32(precision))  # what is recorded keeps it
    layer = cell, inputs, state, weights, factors
    if way := choose_layer_way(layer, open_calibration()):
        prefer_way(describe_layer(*layer), way)
    return record_graph(run, device)


def torch_pass(cell: str, hidden: int, replicas: int, precision: str) -> Callable[[], Any]:
    """Return one pass of torch.nn, replica after replica."""
    peers = [(torch.nn.Embedding(VOCABULARY, hidden), MODULES[cell](hidden, hidden)) for _ in range(replicas)]
    inputs = torch.randint(VOCABULARY, (replicas, STEPS, BATCH))
    gradient = torch.randn(STEPS, BATCH, hidden)

    def run() -> None:
        use_tf32(precision == "tf32")
        for (embedding, module), indices in zip(peers, inputs, strict=True):
            outputs, _ = module(embedding(indices))
            torch.autograd.grad(outputs, [*embedding.parameters(), *module.parameters()], gradient)

    return run


def graph_pass(cell: str, hidden: int, replicas: int, precision: str) -> Callable[[], Any]:
    """Return one pass of torch.nn as a CUDA graph, without embeddings, whose gradients can't be recorded."""
    peers = [MODULES[cell](hidden, hidden) for _ in range(replicas)]
    inputs = [torch.randn(STEPS, BATCH, hidden, requires_grad=True) for _ in range(replicas)]
    gradient = torch.randn(STEPS, BATCH, hidden)

    def run() -> None:
        for module, entered in zip(peers, inputs, strict=True):
            torch.autograd.grad(module(entered)[0], [entered, *module.parameters()], gradient)

    use_tf32(precision == "tf32")
    return record_graph(run, gradient.device)


def best_times(
    tasks: list[Callable[[], Any]], seconds: float, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Return the shortest time of each task by `clock`, run in turns for about `seconds` each."""
    for task in tasks:
        task()
    best, spent = [float("inf")] * len(tasks), 0.0
    while spent < seconds * len(tasks):
        for number, task in enumerate(tasks):
            started = clock()
            task()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            took = clock() - started
            best[number], spent = min(best[number], took), spent + took
    return best


def peak(device: torch.device, seconds: float) -> float:
    """Return the floating-point operations per second of a large product in float32."""
    use_tf32(False)
    size = 1024 if device.type == "cpu" else 8192
    first, second = (torch.randn(size, size, device=device) for _ in range(2))
    return 2 * size**3 / best_times([lambda: first @ second], seconds)[0]


def measured(device: torch.device, shape: tuple[str, int, int], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return a row for each precision; the peer uses the same precision on a GPU and float32 on a processor."""
    on_gpu = device.type == "cuda"
    peers = (
        ["float32" if precision == "float32" else "tf32" for precision in arguments.precisions]
        if on_gpu
        else ["float32"]
    )
    with device:  # not for longer: as the default device it slows down every call of torch
        passes = [seqlab_pass(*shape, precision, arguments.always_round) for precision in arguments.precisions]
        passes += [torch_pass(*shape, precision) for precision in peers]
        passes += [graph_pass(*shape, precision) for precision in peers if on_gpu]
    times, number, tokens = best_times(passes, arguments.seconds), len(passes), STEPS * BATCH * shape[2]
    rows = []
    for place, precision in enumerate(arguments.precisions):
        ours, theirs = times[place], times[len(arguments.precisions) + (place if on_gpu else 0)]
        graph = times[number - len(peers) + place] if on_gpu else None
        row = {"cell": shape[0], "hidden": shape[1], "replicas": shape[2], "precision": precision}
        row |= {"tokens_per_second": round(tokens / ours), "peer_tokens_per_second": round(tokens / theirs)}
        ratios = {"ratio": round(theirs / ours, 3), "graph_ratio": graph and round(graph / ours, 3)}
        rows.append(row | ratios)
    return rows


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", default=list(MODULES), choices=list(MODULES))
    parser.add_argument("--hidden", nargs="+", type=int, default=[32, 64, 128, 256, 512])
    parser.add_argument("--replicas", nargs="+", type=int, default=[1, 5])
    parser.add_argument(
        "--precisions", nargs="+", default=["float32", "bfloat16"], choices=["float32", "tf32", "bfloat16"]
    )
    parser.add_argument("--always-round", action="store_true", help="round in small layers too")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds for each measurement")
    arguments = parser.parse_args()
    use_threads(1)  # as in the pipeline; what it does for memory helps both sides
    device = choose_device(arguments.device)
    torch.manual_seed(1)
    most = peak(device, arguments.seconds)
    where = torch.cuda.get_device_name() if arguments.device == "cuda" else "one thread"
    print(f"torch {torch.__version__}, {where}, {most / 1e9:,.0f} GFLOP/s in a large product; {machine()}")
    columns = ["cell", "hidden", "replicas", "products in", "tokens/s", "torch.nn", "ratio", "to a graph", "peak"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    rows = []
    for cell, hidden, replicas in product(arguments.cells, arguments.hidden, arguments.replicas):
        for row in measured(device, (cell, hidden, replicas), arguments):
            # W_hh is multiplied forward, backward and for its gradient, each two operations for a weight
            rows_of_state, columns = CELLS[cell].shapes(VOCABULARY, hidden)["W_hh"]
            share = 6 * rows_of_state * columns * row["tokens_per_second"] / most
            numbers = f"{row['tokens_per_second']:,} | {row['peer_tokens_per_second']:,} | {row['ratio']:.2f}"
            graph = "" if row["graph_ratio"] is None else f"{row['graph_ratio']:.2f}"
            print(
                f"| {cell} | {hidden} | {replicas} | {row['precision']} | {numbers} | {graph} | {share:.0%} |",
                flush=True,
            )
            rows.append(row | {"peak_share": round(share, 3)})
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()

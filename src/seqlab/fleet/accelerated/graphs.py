"""CUDA graphs and streams: many small kernels started with one call, and calls of several replicas at a time.

On a processor both do the plain thing, so that the code around them runs, and is tested, without a GPU.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

WARM_UP_CALLS = 2  # before a recording: libraries choose algorithms and allocate what they keep
SIDE_STREAMS = 8

Result = TypeVar("Result")
_recording = threading.Lock()
_side_streams: dict[tuple[int, int], list[Any]] = {}


def record(work: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Return a function that does what `work` does, on a GPU as a CUDA graph.

    `work` must read and write the same tensors at every call and must not wait for the GPU. It is called a few times
    before it is recorded, so what it changes must be put back by the caller.
    """
    if device.type != "cuda" or not torch.cuda.is_available():
        return work
    with _recording:
        stream: Any = torch.cuda.Stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_CALLS):
                work()
        torch.cuda.current_stream(device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            work()

    def replay(kept: Callable[[], object] = work) -> None:  # a graph alone would not keep the tensors of `work` alive
        graph.replay()

    return replay


def side_by_side(tasks: Sequence[Callable[[], Result]], device: torch.device) -> list[Result]:
    """The results of `tasks`, on a GPU each in a stream of its own; the current stream goes on after all of them."""
    if device.type != "cuda" or len(tasks) < 2 or not torch.cuda.is_available():
        return [task() for task in tasks]
    main = torch.cuda.current_stream(device)
    begun = main.record_event()
    streams = _streams_beside(main, min(len(tasks), SIDE_STREAMS))
    results = []
    for number, task in enumerate(tasks):
        stream = streams[number % len(streams)]
        if number < len(streams):
            stream.wait_event(begun)
        with torch.cuda.stream(stream):
            results.append(task())
    for stream in streams:
        main.wait_stream(stream)
    return results


def _streams_beside(main: Any, number: int) -> list[Any]:
    """Streams that belong to `main` alone: while it records, no other thread may use them."""
    streams = _side_streams.setdefault((main.device_index, main.cuda_stream), [])
    while len(streams) < number:
        streams.append(torch.cuda.Stream(main.device_index))
    return streams[:number]

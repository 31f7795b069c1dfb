"""CUDA graphs and streams: many kernels launched with one call, and parallel calls of several replicas.

On a processor both call the functions directly, so that the code around them runs, and is tested, without a GPU.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

WARM_UP_CALLS = 2  # before a recording: libraries choose algorithms and allocate memory
SIDE_STREAMS = 8

TaskResult = TypeVar("TaskResult")
_recording = threading.Lock()
_side_streams: dict[tuple[int, int], list[Any]] = {}


def record_graph(work: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Return a function equivalent to `work`, on a GPU as a CUDA graph.

    `work` must read and write the same tensors at every call and must not wait for the GPU. It is called a few times
    before it is recorded, so the caller must restore the tensors that it changes.
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

    def replay(
        references: Callable[[], object] = work,
    ) -> None:  # holds `work`, whose tensors the graph does not keep alive
        graph.replay()

    return replay


def run_side_by_side(tasks: Sequence[Callable[[], TaskResult]], device: torch.device) -> list[TaskResult]:
    """Return the results of `tasks`, on a GPU run in parallel streams; the current stream waits for all of them."""
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
    """Return streams that belong to `main` alone: while it records, no other thread may use them."""
    streams = _side_streams.setdefault((main.device_index, main.cuda_stream), [])
    while len(streams) < number:
        streams.append(torch.cuda.Stream(main.device_index))
    return streams[:number]

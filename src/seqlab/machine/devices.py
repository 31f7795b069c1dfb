"""On what a network is trained: the processor, with a fixed number of threads, or a GPU."""

import ctypes
import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch

from seqlab.io.errors import InputError
from seqlab.machine.leases import gpu_names, is_assigned, lease

MMAP_MAX, TRIM_THRESHOLD = -4, -1  # parameters of mallopt: blocks of memory mapped on their own, and when to give back


def add_device_arguments(parser: ArgumentParser) -> None:
    """Give `parser` the arguments of a program that runs a network, for `choose_device` and `use_threads`."""
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="so many jobs may share one")
    parser.add_argument("--threads", type=int, default=1)


def choose_device(name: str, jobs_per_gpu: int = 1) -> torch.device:
    """The device called `name`: "cpu", "cuda", or "auto" for a GPU where there is one; InputError where there is none
    to be had.

    It is a GPU that fewer than `jobs_per_gpu` other jobs have, and this process has it to the end; where
    CUDA_VISIBLE_DEVICES names a single one, as Slurm does for a job, it is that.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise InputError(f"rnn.device is {name!r}; allowed are auto, cpu and cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("rnn.device is cuda, but torch finds no GPU here; set it to auto or cpu")
    if name == "cpu":
        return torch.device(name)
    names = gpu_names(torch.cuda.device_count(), os.environ)
    return torch.device(name, 0 if is_assigned(names, os.environ) else lease(names, jobs_per_gpu))


def is_accelerated(device: torch.device) -> bool:
    """Return whether starting work on `device` is so dear, beside the work, that it is recorded."""
    return device.type != "cpu"


@contextmanager
def memory_errors(device: torch.device, section: str) -> Iterator[None]:
    """Turn the error of a GPU that is full into an InputError that names the keys of a `section` to lower."""
    try:
        yield
    except torch.OutOfMemoryError:
        taken, (free, total) = torch.cuda.max_memory_allocated(device), torch.cuda.mem_get_info(device)
        raise InputError(
            f"the memory of the GPU is full: the training needs more than the {taken / 2**30:.1f} GiB that it took, "
            f"and {free / 2**30:.1f} of {total / 2**30:.1f} GiB are free; lower {section}.training.batch_size, "
            f"{section}.training.steps, {section}.hidden or the number of {section}.seeds, or let fewer jobs share it "
            "(rnn.jobs_per_gpu)"
        ) from None


def use_tf32(wanted: bool) -> None:
    """Let GPUs round the factors of float32 products to TF32, which has three decimal digits, or not; processors don't.

    cuDNN would do it in recurrent layers without being asked.
    """
    backends: tuple[Any, ...] = torch.backends.cuda.matmul, torch.backends.cudnn.rnn
    for backend in backends:
        backend.fp32_precision = "tf32" if wanted else "ieee"


def tf32_is_used() -> bool:
    """Return whether `use_tf32` has allowed it."""
    recurrent: Any = torch.backends.cudnn.rnn
    return bool(recurrent.fp32_precision == "tf32")


def use_threads(threads: int) -> None:
    """Let torch use `threads` threads: many single-threaded jobs side by side are faster than one job on all cores."""
    torch.set_num_threads(threads)
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Make the allocator of glibc keep what is freed; elsewhere nothing happens.

    It would give large blocks back to the system and get them anew, zeroed page by page, for every batch.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for parameter, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, 2**31 - 1)):
            library.mallopt(parameter, value)

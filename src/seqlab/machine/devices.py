"""Devices and threads of networks."""

import ctypes
import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from seqlab.io.errors import InputError
from seqlab.machine.leases import is_gpu_assigned, lease_gpu, list_gpu_names

LEAST_CHECKED = 2**28  # bytes from which a need is compared with the free memory
MMAP_MAX, TRIM_THRESHOLD = -4, -1  # parameters of mallopt: separately mapped blocks, and the limit for returning memory


def add_device_arguments(parser: ArgumentParser) -> None:
    """Add to `parser` the arguments of a program that runs a network, for `choose_device` and `use_threads`."""
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="number of jobs that may share a GPU")
    parser.add_argument("--threads", type=int, default=1)


def choose_device(name: str, jobs_per_gpu: int = 1) -> torch.device:
    """Return the device `name`: "cpu", "cuda", or "auto" for a GPU where there is one; InputError for a missing GPU.

    The GPU is leased until the process ends and shared by at most `jobs_per_gpu` jobs. Where CUDA_VISIBLE_DEVICES names
    a single GPU, as Slurm does for a job, that one is taken.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise InputError(f"rnn.device is {name!r}; use auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("rnn.device is cuda, but torch finds no GPU here; set it to auto or cpu")
    if name == "cpu":
        return torch.device(name)
    names = list_gpu_names(torch.cuda.device_count(), os.environ)
    return torch.device(name, 0 if is_gpu_assigned(names, os.environ) else lease_gpu(names, jobs_per_gpu))


def is_accelerated(device: torch.device) -> bool:
    """Return whether launches on `device` cost so much that they are recorded as graphs."""
    return device.type != "cpu"


@contextmanager
def explain_memory_errors(device: torch.device, section: str) -> Iterator[None]:
    """Turn an out-of-memory error of a GPU into an InputError that names the keys of `section` to lower."""
    try:
        yield
    except torch.OutOfMemoryError:
        taken, (free, total) = torch.cuda.max_memory_allocated(device), torch.cuda.mem_get_info(device)
        raise InputError(
            f"the memory of the GPU is full: the training needs more than the {taken / 2**30:.1f} GiB that it holds, "
            f"and {free / 2**30:.1f} of {total / 2**30:.1f} GiB are free; lower {section}.training.batch_size, "
            f"{section}.training.steps, {section}.hidden or the number of {section}.seeds, or let fewer jobs share it "
            "(rnn.jobs_per_gpu)"
        ) from None


def check_memory(needed: int, device: torch.device, subject: str, remedy: str) -> None:
    """Raise InputError with the `remedy` where `subject` takes more bytes, `needed`, than `device` has free."""
    free = _count_free_bytes(device) if needed >= LEAST_CHECKED else None
    if free is not None and needed > free:
        raise InputError(
            f"{subject} takes {needed / 2**30:.1f} GiB of memory, and {free / 2**30:.1f} GiB are free; {remedy}"
        )


def _count_free_bytes(device: torch.device) -> int | None:
    """Return the free memory of a GPU, or that of Linux with what it can free at once; None elsewhere."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    with suppress(OSError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])
    return None


def use_tf32(allowed: bool) -> None:
    """Allow or forbid GPUs to round the factors of float32 products to TF32, which has three decimal digits.

    The default of cuDNN allows it in recurrent layers.
    """
    backends: tuple[Any, ...] = torch.backends.cuda.matmul, torch.backends.cudnn.rnn
    for backend in backends:
        backend.fp32_precision = "tf32" if allowed else "ieee"


def is_tf32_allowed() -> bool:
    """Return whether `use_tf32` has allowed TF32."""
    recurrent: Any = torch.backends.cudnn.rnn
    return bool(recurrent.fp32_precision == "tf32")


def use_threads(threads: int) -> None:
    """Let torch use `threads` threads; many single-threaded jobs are faster than one job on all cores."""
    torch.set_num_threads(threads)
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Make the allocator of glibc keep freed memory; no effect elsewhere.

    Otherwise it returns large blocks to the system and requests them again, zeroed page by page, for every batch.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for parameter, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, 2**31 - 1)):
            library.mallopt(parameter, value)

"""Leases on the GPUs of one machine, so that parallel jobs do not all use the first one.

Snakemake counts GPUs but does not number them. A lease is a lock on a file, which the kernel releases when the process
ends, even by a kill.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

POLL_SECONDS = 0.5  # seconds between two attempts
_held: dict[str, BaseFileLock] = {}  # GPU -> its lock, which is held to the end of the process


def list_gpu_names(count: int, environment: Mapping[str, str]) -> list[str]:
    """Return the names of the `count` GPUs that are visible to this process, in the order of their numbers.

    Slurm may number the GPUs of each allocation from 0, so there a name begins with that of the allocation.
    """
    visible = [name.strip() for name in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    names = visible[:count] if len(visible) >= count else [str(number) for number in range(count)]
    allocation = environment.get("SLURM_JOB_ID")
    return [f"{allocation}-{name}" for name in names] if allocation else names


def is_gpu_assigned(names: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Return whether CUDA_VISIBLE_DEVICES names a single GPU, chosen by Slurm or by the user."""
    return "CUDA_VISIBLE_DEVICES" in environment and len(names) == 1


def lease_gpu(
    names: Sequence[str],
    jobs_per_gpu: int,
    folder: Path | None = None,
    report: Callable[[str], None] = print,
) -> int:
    """Lease one of the GPUs `names` until this process ends and return its index; later calls return the same.

    At most `jobs_per_gpu` processes of this machine lease the same GPU, and none shares one while another is free.
    Where all are leased, wait and `report` it once. `folder` holds the lock files; the default is the folder of
    temporary files, which all users share.
    """
    if leased := [place for place, name in enumerate(names) if name in _held]:
        return leased[0]
    waiting = False
    while True:
        for slot in range(jobs_per_gpu):
            for place, name in enumerate(names):
                path = (folder or Path(tempfile.gettempdir())) / f"seqlab-gpu-{name}-job-{slot + 1}.lock"
                lock = FileLock(path, mode=0o666, blocking=False, fallback_to_soft=False)  # any user may lock it
                with suppress(Timeout):
                    lock.acquire()
                    _held[name] = lock
                    return place
        if not waiting:
            report(f"waiting for a GPU: all {len(names)} have {jobs_per_gpu} jobs")
            waiting = True
        time.sleep(POLL_SECONDS)

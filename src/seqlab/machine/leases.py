"""Leases on the GPUs of one machine, so that jobs which start side by side do not all take the first.

Snakemake counts GPUs and does not number them. A lease is a lock on a file, which the kernel takes back however a
process ends, so that nothing has to be tidied up after one that was killed.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

POLL = 0.5  # seconds between two looks for a GPU that has become free
_held: dict[str, BaseFileLock] = {}  # GPU -> its lock, which is held to the end of the process


def gpu_names(count: int, environment: Mapping[str, str]) -> list[str]:
    """The names of the `count` GPUs that this process can see, in the order in which they are numbered for it.

    Slurm may number those of each allocation from 0, so there the name begins with that of the allocation.
    """
    visible = [name.strip() for name in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    names = visible[:count] if len(visible) >= count else [str(number) for number in range(count)]
    allocation = environment.get("SLURM_JOB_ID")
    return [f"{allocation}-{name}" for name in names] if allocation else names


def is_assigned(names: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether the GPU has been chosen, by Slurm for one job or by a person: CUDA_VISIBLE_DEVICES names a single one."""
    return "CUDA_VISIBLE_DEVICES" in environment and len(names) == 1


def lease(
    names: Sequence[str],
    jobs_per_gpu: int,
    folder: Path | None = None,
    report: Callable[[str], None] = print,
) -> int:
    """Take one of the GPUs called `names` until this process ends; returns its place among them, again if asked again.

    At most `jobs_per_gpu` processes of this machine have a lease on the same GPU, and none shares one while another is
    free. Where all are taken this waits, and says so once. `folder` holds the files to lock, by
    default that of temporary files, which all users share.
    """
    if taken := [place for place, name in enumerate(names) if name in _held]:
        return taken[0]
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
        time.sleep(POLL)

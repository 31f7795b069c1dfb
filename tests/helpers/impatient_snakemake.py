"""Snakemake that asks every second whether its Slurm jobs have ended, for tests.

The plugin itself waits ten seconds longer after every time it has asked in vain, and no option of it says otherwise.
While it asks, Snakemake has no list of its jobs, and an interruption in this moment cancels none of them; here, where
it asks so often, the interruption waits until the list is there again.
"""

import sys
import time

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


def cancel(executor: RemoteExecutor) -> None:
    """Cancel all jobs, of which there is at least one."""
    jobs = []
    while not jobs:
        with executor.lock:
            jobs = list(executor.active_jobs)
        time.sleep(0.05)
    executor.cancel_jobs(jobs)
    executor.shutdown()


RemoteExecutor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, seconds: None)
RemoteExecutor.cancel = cancel
sys.exit(main())

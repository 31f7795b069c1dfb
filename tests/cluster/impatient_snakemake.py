"""Snakemake that asks every second whether its Slurm jobs have ended, for tests.

The plugin itself waits ten seconds longer after every time it has asked in vain, and no option of it says otherwise.
"""

import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

RemoteExecutor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, seconds: None)
sys.exit(main())

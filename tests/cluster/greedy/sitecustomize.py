"""A fault to be injected: the first training that has a checkpoint takes more memory than its job may have.

Python runs this at its start where this folder is in PYTHONPATH. It acts where SEQLAB_TEST_GREEDY names a file, and
removes that file first, so that it acts but once.
"""

import os
import sys
import threading
import time
from pathlib import Path


def take_memory(once: Path, folder: Path) -> None:
    while not (folder / "unfinished.safetensors").exists():
        time.sleep(0.05)
    try:
        once.unlink()
    except FileNotFoundError:
        return
    taken = bytearray(2_000_000_000)
    for place in range(0, len(taken), 4096):  # memory counts when it is touched
        taken[place] = 1
        if place % 40_960_000 == 0:
            time.sleep(0.05)  # the job is looked at once a second
    time.sleep(60)


once = os.environ.get("SEQLAB_TEST_GREEDY")
arguments = getattr(sys, "orig_argv", [])
if once and any(argument.endswith("train_rnn.py") for argument in arguments):
    where = Path(arguments[arguments.index("--folder") + 1])
    threading.Thread(target=take_memory, args=(Path(once), where), daemon=True).start()

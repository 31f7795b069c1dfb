"""Choices between implementations of one computation, by their times on this machine.

Each choice is measured once and kept in a file of the user's cache, outside all results. The name of the file holds a
digest of what a time depends on (processor, GPU, threads, versions), so other machines and versions have files of their
own, even in a home folder that they share.
"""

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from seqlab.io.errors import InputError, flatten
from seqlab.io.files import replacing
from seqlab.io.provenance import list_versions, read_processor

SECONDS_OF_A_CHOICE = 0.2  # for the timings of one choice; each candidate is timed once at least
LEAST_GAIN = 1.1  # by which a candidate must be faster to replace the usual one, so that noise does not
WAIT_SECONDS = 10  # for another job that measures
VERSIONS = ("seqlab", "torch", "numpy")

Report = Callable[[str], None]


class Calibration:
    """The choices on one machine, in the file `path`. They are measured again where the file can't be used."""

    def __init__(self, path: Path, report: Report = print) -> None:
        self.path, self.report, self.choices = path, report, _read_choices(path)

    def choose(self, question: str, candidates: Mapping[str, Callable[[], object]], usual: str) -> str:
        """Return the name of the fastest of the `candidates`, or `usual` where none is faster by `LEAST_GAIN`.

        `question` names the computation. Another job that asks at the same time waits, and reads the choice. A
        candidate that raises an exception is not chosen; one line of report says so.
        """
        if self._knows(question, candidates):
            return str(self.choices[question]["choice"])
        with self._locked():
            self.choices |= _read_choices(self.path)
            if not self._knows(question, candidates):
                times = time_candidates(candidates, self.report)
                if not times:
                    return usual
                fastest = min(times, key=lambda name: times[name])
                choice = fastest if LEAST_GAIN * times[fastest] <= times.get(usual, math.inf) else usual
                milliseconds = {name: float(f"{1000 * seconds:.3g}") for name, seconds in times.items()}
                self.choices[question] = {"choice": choice, "milliseconds": milliseconds}
                self._write()
        return str(self.choices[question]["choice"])

    def _knows(self, question: str, candidates: Mapping[str, Any]) -> bool:
        return self.choices.get(question, {}).get("choice") in candidates

    def _locked(self) -> Any:
        """Return the lock of the file while it can be had; without it every job measures for itself."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return FileLock(self.path.with_suffix(".lock"), timeout=WAIT_SECONDS).acquire()
        except (OSError, Timeout):
            return nullcontext()

    def _write(self) -> None:
        try:
            with replacing(self.path, checksum=False) as temporary:
                temporary.write_text(json.dumps(self.choices, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        except InputError as error:
            self.report(f"{flatten(error)}; until then every job measures again how it computes fastest")


def open_calibration(report: Report = print) -> Calibration:
    """Return the calibration of this machine, with the number of threads that torch uses now."""
    description = describe_machine()
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:12]
    return Calibration(locate_cache() / f"calibration-{digest}.json", report)


def locate_cache() -> Path:
    """Return the folder of seqlab in the user's cache: in XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seqlab"


def describe_machine() -> dict[str, Any]:
    """Return the properties on which times depend: processor, GPU, threads and versions."""
    processor = read_processor(), torch.backends.cpu.get_cpu_capability(), os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    versions = list_versions()
    return {
        "processor": processor,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": torch.get_num_threads(),
        "versions": [torch.__version__, *(versions[name] for name in VERSIONS)],
    }


def time_candidates(candidates: Mapping[str, Callable[[], object]], report: Report = print) -> dict[str, float]:
    """Return the shortest time of each candidate in seconds, called in turns; those that fail are left out.

    The first call of each is not timed: libraries are loaded and memory is allocated in it.
    """
    working = []
    for name, candidate in candidates.items():
        try:
            candidate()
            working.append(name)
        except Exception as error:  # any failure: the others remain
            report(f"{name} failed where it was tried, so it is not used: {flatten(error)}")
    best: dict[str, float] = {}
    left = SECONDS_OF_A_CHOICE
    while working and left > 0:
        for name in working:
            seconds = _time(candidates[name])
            best[name], left = min(best.get(name, seconds), seconds), left - seconds
    return best


def _time(candidate: Callable[[], object]) -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    started = time.perf_counter()
    candidate()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _read_choices(path: Path) -> dict[str, dict[str, Any]]:
    """Return the choices in a file; none where it is missing, damaged or can't be read."""
    try:
        choices = json.loads(path.read_text(encoding="utf-8"))
        is_sound = all(
            isinstance(choice["choice"], str)
            and all(isinstance(value, float | int) for value in choice["milliseconds"].values())
            for choice in choices.values()
        )
        return choices if is_sound else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


@cache
def is_bfloat16_fast() -> bool:
    """Return whether this processor multiplies in bfloat16 at least as fast as in float32.

    Those without instructions for it are slower by far, so the answer does not depend on noise.
    """
    threads = torch.get_num_threads()
    candidates = {"float32": _product_in(torch.float32), "bfloat16": _product_in(torch.bfloat16)}
    torch.set_num_threads(1)  # several would wait for each other on a busy machine
    try:
        return open_calibration().choose("a product in bfloat16 or in float32", candidates, "bfloat16") == "bfloat16"
    finally:
        torch.set_num_threads(threads)


def _product_in(precision: torch.dtype) -> Callable[[], object]:
    """Return a function that computes a product of the size of a training step."""
    first, second = (torch.ones(1, *size, dtype=precision) for size in ((32, 256), (256, 1024)))
    return lambda: torch.bmm(first, second)

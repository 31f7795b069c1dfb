"""Models of other programs: a class of a user's file in a process of its own, with limits of time and memory."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqlab.audit.candidate import Bits
from seqlab.io.errors import InputError, flatten
from seqlab.io.names import split_class
from seqlab.sampling import Texts

MOST_BYTES = 1 << 28  # of an answer
TEXT_METHODS = ("encode", "sizes")  # optional ones, of a text
REQUIRED_METHODS = ("symbols", "log2_probabilities")


class Limits(NamedTuple):
    """Limits of the process of a model: seconds of all calls and of one call, and GiB of addresses."""

    seconds: float = 600
    call_seconds: float = 60
    memory: float = 8


USUAL_LIMITS = Limits()


class Host:
    """Process that runs the class `name` of the file `path`."""

    def __init__(self, path: Path, name: str, limits: Limits) -> None:
        self.label, self.limits = f"{path}:{name}", limits
        self.end = time.monotonic() + limits.seconds
        memory = int(limits.memory * 2**30)
        program = [sys.executable, "-P", "-m", "seqlab.audit.host", str(path.resolve()), name, str(memory)]
        self.process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
        )

    def call(self, method: str, *arguments: Any) -> Any:
        """Return what the method of the model returns; InputError where it fails or exceeds a limit."""
        request = json.dumps({"method": method, "arguments": arguments})
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(request.encode() + b"\n")
        except BrokenPipeError:
            raise self._ended(method) from None
        return self.read_answer(method)

    def read_answer(self, method: str) -> Any:
        """Return the value of the next answer; InputError for an error, a limit or the end of the process."""
        assert self.process.stdout is not None
        end = min(self.end, time.monotonic() + self.limits.call_seconds)
        parts: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not parts or not parts[-1].endswith(b"\n"):
                if not selector.select(max(end - time.monotonic(), 0)):
                    limit = f"{self.limits.call_seconds:g} s for a call"
                    if end == self.end:
                        limit = f"{self.limits.seconds:g} s in all"
                    raise InputError(
                        f"{self.label}: {method} exceeds the limit of {limit}; make it faster, or raise the limit"
                    )
                parts.append(os.read(self.process.stdout.fileno(), 1 << 16))
                if not parts[-1]:
                    raise self._ended(method)
                if len(parts) * (1 << 16) > MOST_BYTES and sum(map(len, parts)) > MOST_BYTES:
                    raise InputError(f"{self.label}: {method} returns more than {MOST_BYTES} bytes; return less")
        answer = json.loads(b"".join(parts))
        if "error" in answer:
            raise InputError(f"{self.label}: {method} failed with {flatten(answer['error'])}; correct the class")
        return answer["value"]

    def close(self) -> None:
        """End the process and the processes that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _ended(self, method: str) -> InputError:
        code = self.process.wait()
        return InputError(
            f"{self.label}: the process of the model ended in {method} (exit code {code}); a full memory is a common "
            f"cause, and its limit is {self.limits.memory:g} GiB"
        )


class ForeignModel:
    """Model in a `Host`; see `seqlab.audit.candidate.Candidate`."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._symbols: list[str] = host.call("symbols")

    def symbols(self) -> list[str]:
        """Return the names of the symbols."""
        return self._symbols

    def log2_probabilities(self, prefix: list[int]) -> Bits:
        """Return the binary logarithm of the probability of every symbol after `prefix`."""
        return np.array(self.host.call("log2_probabilities", prefix))


class ForeignModelWithBits(ForeignModel):
    """Model in a `Host` that charges bits by a method of its own."""

    def bits(self, ids: list[int]) -> Bits:
        """Return the bits of every symbol but the first."""
        return np.array(self.host.call("bits", ids))


class ForeignModelWithBatches(ForeignModelWithBits):
    """Model in a `Host` that charges the bits of many texts in one call."""

    def score_together(self, texts: Texts) -> list[Bits]:
        """Return the bits of every symbol but the first of each text."""
        return [np.array(bits) for bits in self.host.call("score_together", [text.tolist() for text in texts])]


@contextmanager
def open_foreign_model(
    name: str, limits: Limits = USUAL_LIMITS
) -> Iterator[tuple[ForeignModel, dict[str, Callable[[str], Any]]]]:
    """Yield the model `file.py:Class`, and those of its methods TEXT_METHODS that it has; its process ends with the
    block.

    Raise InputError for a name, a class or a method that can't be used, and for a call beyond `limits`.
    """
    file, class_name = split_class(name)
    path = Path(file)
    if not path.is_file():
        raise InputError(f"the model {name!r} names the file {file}, which does not exist; check the path")
    host = Host(path, class_name, limits)
    try:
        methods = host.read_answer("the class")
        if lacking := [method for method in REQUIRED_METHODS if method not in methods]:
            raise InputError(f"{name} has no method {lacking[0]}; add it, see docs/audit.md")
        kind = ForeignModelWithBits if "bits" in methods else ForeignModel
        if {"bits", "score_together"} <= set(methods):
            kind = ForeignModelWithBatches
        model = kind(host)
        yield model, {method: partial(host.call, method) for method in TEXT_METHODS if method in methods}
    finally:
        host.close()

"""Models of other programs: a class of a user's file in a process of its own, with limits of time and memory."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from seqlab.audit.candidate import Bits
from seqlab.io.errors import InputError, flatten

CALL_SECONDS = 60.0
MOST_BYTES = 1 << 28  # of an answer
REQUIRED_METHODS = ("symbols", "log2_probabilities")


class Host:
    """Process that runs the class `name` of the file `path`."""

    def __init__(self, path: Path, name: str, seconds: float, memory: int, call_seconds: float) -> None:
        self.label, self.call_seconds = f"{path}:{name}", call_seconds
        self.seconds, self.end = seconds, time.monotonic() + seconds
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
        end = min(self.end, time.monotonic() + self.call_seconds)
        parts: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not parts or not parts[-1].endswith(b"\n"):
                if not selector.select(max(end - time.monotonic(), 0)):
                    limit = f"{self.call_seconds:g} s for a call; make it faster"
                    if end == self.end:
                        limit = f"the limit of {self.seconds:g} s in all; make it faster, or raise --seconds"
                    raise InputError(f"{self.label}: {method} exceeds {limit}")
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
            "cause, see --memory"
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


@contextmanager
def open_foreign_model(
    name: str, seconds: float = 600, memory: int = 8 << 30, call_seconds: float = CALL_SECONDS
) -> Iterator[tuple[ForeignModel, Any]]:
    """Yield the model `file.py:Class`, and its method `encode` or None; its process ends with the block.

    A call takes at most `call_seconds`, all together `seconds`, and the process at most `memory` bytes of addresses.
    Raise InputError for a name, a class or a method that can't be used.
    """
    file, _, class_name = name.rpartition(":")
    if not file or not class_name.isidentifier():
        raise InputError(f"the model {name!r} has no class; write it as file.py:Class")
    path = Path(file)
    if not path.is_file():
        raise InputError(f"the model {name!r} names the file {file}, which does not exist; check the path")
    host = Host(path, class_name, seconds, memory, call_seconds)
    try:
        methods = host.read_answer("the class")
        if lacking := [method for method in REQUIRED_METHODS if method not in methods]:
            raise InputError(f"{name} has no method {lacking[0]}; add it, see docs/audit.md")
        model = (ForeignModelWithBits if "bits" in methods else ForeignModel)(host)
        yield model, ((lambda text: host.call("encode", text)) if "encode" in methods else None)
    finally:
        host.close()

"""Program that runs a model of another program for `seqlab.audit.foreign`.

Its arguments are the file, the class and the memory limit in bytes. A request is a line of JSON with a method and its
arguments, an answer one with a value or an error. Standard input and output of the model's code are /dev/null and
standard error, so that what it prints is no answer.
"""

import importlib.util
import json
import os
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np


def main() -> None:
    """Serve the model in `sys.argv` until standard input ends."""
    path, name, memory = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    model = _answer(answers, path, lambda: _load_model(path, name), lambda loaded: _list_methods(loaded))
    for line in requests if model is not None else ():
        request = json.loads(line)
        convert = _CONVERSIONS[request["method"]]
        _answer(answers, path, lambda: getattr(model, request["method"])(*request["arguments"]), convert)  # noqa: B023


def _answer(answers: TextIO, path: Path, call: Callable[[], Any], convert: Callable[[Any], Any]) -> Any:
    """Write the value of `call`, or its error, as an answer; return the value, None for an error."""
    value = None
    try:
        value = call()
        line = json.dumps({"value": convert(value)})
    except BaseException as error:  # SystemExit too: the answer must come
        value, line = None, json.dumps({"error": _describe_error(error, path)})
    print(line, file=answers, flush=True)
    return value


def _describe_error(error: BaseException, path: Path) -> str:
    """Return the last line of the traceback, with the last line number in the file of the model."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    place = f" (line {frames[-1].lineno})" if frames else ""
    return traceback.format_exception_only(error)[-1].strip() + place


def _load_model(path: Path, name: str) -> Any:
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("audited_model", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return getattr(module, name)()


def _list_methods(model: Any) -> list[str]:
    return [name for name in _CONVERSIONS if callable(getattr(model, name, None))]


def _to_numbers(value: Any) -> Any:
    """Return an array or tensor as nested lists of floats."""
    array = value.detach().cpu().double().numpy() if hasattr(value, "detach") else value
    return np.asarray(array, dtype=np.float64).tolist()


def _to_arrays(value: Any) -> list[Any]:
    return [_to_numbers(item) for item in value]


def _to_counts(value: Any) -> dict[str, int]:
    return {str(name): int(count) for name, count in value.items()}


def _to_names(value: Any) -> list[str]:
    return [str(name) for name in value]


def _to_indices(value: Any) -> list[int]:
    return [int(index) for index in value]


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "symbols": _to_names,
    "log2_probabilities": _to_numbers,
    "bits": _to_numbers,
    "score_together": _to_arrays,
    "encode": _to_indices,
    "sizes": _to_counts,
}

if __name__ == "__main__":
    main()

"""Errors for users: one sentence that names the place, the cause and the remedy."""

import functools
import io
import sys
from collections.abc import Callable

MEMORY_REMEDY = "run fewer jobs in parallel, or reduce the text, the model or rnn.training.batch_size"
ALLOCATOR_NAME = "DefaultCPUAllocator"  # in the RuntimeError of torch where the memory is full


class InputError(Exception):
    """An error in a file, a key or a value; its text is one sentence: what is wrong, where, and what to do."""


def quote(value: object) -> str:
    """Return `value` for a sentence: on one line, and shortened."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:150]} ... ({len(text)} characters)"


def flatten(text: object) -> str:
    """Return `text` on one line, and shortened."""
    line = " ".join(str(text).split())
    return line if len(line) <= 300 else f"{line[:250]} ... ({len(line)} characters)"


def command(main: Callable[[], None]) -> Callable[[], None]:
    """Decorate the main function of a program: InputErrors, unusable files and a full memory become one line on stderr
    and exit code 1; all other exceptions are faults of the program and keep their traceback.
    """

    @functools.wraps(main)
    def run() -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):  # characters outside its encoding are printed as \\u4e2d
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            main()
        except InputError as error:
            sys.exit(f"error: {' '.join(str(error).split())}")  # a file may have a line end in its name
        except FileNotFoundError as error:
            sys.exit(f"error: {flatten(error.filename)} does not exist; run the workflow first, or check the path")
        except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
            sys.exit(f"error: {flatten(error.filename)} can't be used ({error.strerror}); check path and permissions")
        except (MemoryError, RuntimeError) as error:
            if (
                isinstance(error, MemoryError)
                or type(error).__name__ == "OutOfMemoryError"
                or ALLOCATOR_NAME in str(error)
            ):
                sys.exit(f"error: out of memory ({flatten(error)}); {MEMORY_REMEDY}")
            raise
        except KeyboardInterrupt:
            sys.exit("error: interrupted; run the same command to continue")  # exit code 0 would mean success

    return run

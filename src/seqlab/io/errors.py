"""The one kind of error a user should see: a sentence that names the place and the remedy."""

import functools
import io
import sys
from collections.abc import Callable

SMALLER = "run fewer jobs at the same time, or make the text, the model or rnn.training.batch_size smaller"
ALLOCATOR = "DefaultCPUAllocator"  # in the RuntimeError of torch where the memory is full


class InputError(Exception):
    """Something outside the program is wrong: a file, a key, a value. The text is one sentence saying
    what is wrong, where, and what to do.
    """


def shown(value: object) -> str:
    """`value` as it stands in a sentence: in one line, and not without end."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:150]} ... ({len(text)} characters)"


def one_line(text: object) -> str:
    """`text` without line ends and without end."""
    line = " ".join(str(text).split())
    return line if len(line) <= 300 else f"{line[:250]} ... ({len(line)} characters)"


def command(main: Callable[[], None]) -> Callable[[], None]:
    """`main` as a command-line program: an InputError, a file that can't be used or too little memory becomes one line
    on stderr and exit code 1.

    Anything else is a fault of the program and keeps its traceback.
    """

    @functools.wraps(main)
    def run() -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):  # what its encoding does not have is printed as \\u4e2d
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            main()
        except InputError as error:
            sys.exit(f"error: {' '.join(str(error).split())}")  # a file may have a line end in its name
        except FileNotFoundError as error:
            sys.exit(f"error: {one_line(error.filename)} does not exist; run the workflow up to it or check the path")
        except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
            sys.exit(f"error: {one_line(error.filename)} can't be used ({error.strerror}); check path and permissions")
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or ALLOCATOR in str(error):
                sys.exit(f"error: the memory is not enough ({one_line(error)}); {SMALLER}")
            raise
        except KeyboardInterrupt:
            sys.exit("error: interrupted; the same command goes on from here")  # exit 0 would pass for success

    return run

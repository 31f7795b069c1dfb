"""The one kind of error a user should see: a sentence that names the place and the remedy."""

import functools
import sys
from collections.abc import Callable


class InputError(Exception):
    """Something outside the program is wrong: a file, a key, a value. The text is one sentence saying
    what is wrong, where, and what to do."""


def command(main: Callable[[], None]) -> Callable[[], None]:
    """`main` as a command-line program: an InputError or a missing file becomes one line on stderr and exit code 1.

    Anything else is a fault of the program and keeps its traceback.
    """

    @functools.wraps(main)
    def run() -> None:
        try:
            main()
        except InputError as error:
            sys.exit(f"error: {error}")
        except FileNotFoundError as error:
            sys.exit(f"error: {error.filename} does not exist; run the workflow up to it or check the path")
        except KeyboardInterrupt:
            sys.exit(
                "error: interrupted; the same command goes on from here"
            )  # never exit 0: it would pass for success

    return run

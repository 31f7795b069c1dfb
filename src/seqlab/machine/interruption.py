"""Being asked to stop: by the keyboard, by a scheduler whose time is up, by whoever needs the machine."""

import signal
from collections.abc import Callable
from types import FrameType


def stop_on_signals() -> Callable[[], bool]:
    """From now on SIGTERM and SIGINT do not end the program but make the function returned true, so that it can end in
    good order; the second one ends it at once, as KeyboardInterrupt.
    """
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) > 1:
            raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return lambda: bool(asked)

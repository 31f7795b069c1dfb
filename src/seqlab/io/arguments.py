"""Types of command-line arguments, and arguments that several programs share."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any

from seqlab.io.errors import quote


def json_argument(*keys: str) -> Callable[[str], dict[str, Any]]:
    """Return an argparse type: a JSON object that has `keys`."""

    def parse(text: str) -> dict[str, Any]:
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ArgumentTypeError(f"{quote(text)} is not JSON ({error})") from None
        if not isinstance(content, dict) or not set(keys) <= set(content):
            raise ArgumentTypeError(f"{quote(text)} is not a JSON object with {', '.join(keys)}")
        return content

    return parse


def count_argument(text: str) -> int:
    """Return an argument of argparse as a number of at least 1."""
    if not text.isdecimal() or not 1 <= int(text[:19]) == int(text):
        raise ArgumentTypeError(f"{quote(text)} is not a whole number of at least 1")
    return int(text)


def add_sample_argument(parser: ArgumentParser) -> None:
    """Add to `parser` the argument of a program that draws a sample from a model."""
    sample = json_argument("prompt", "symbols", "temperature")
    parser.add_argument("--sample", required=True, type=sample, help="prompt, symbols, temperature, as JSON")

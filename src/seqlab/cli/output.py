"""What commands have in common: models and texts to work on, and what is printed for programs or for people."""

import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from seqlab.text.reading import check_text, load_text

AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object, for programs")]
Model = Annotated[
    Path, typer.Option("--model", "-m", help="folder of a run, or of a champion from MLflow", metavar="DIR")
]
Device = Annotated[str, typer.Option(help="of a network: auto, cpu or cuda")]


def examples(*lines: str) -> str:
    """The end of a command's help; the character keeps click from filling the lines up."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def show(content: dict[str, Any], as_json: bool, lines: Iterable[str]) -> None:
    """Print `content` as one JSON object, in which an infinite figure is the string "inf", or else `lines`."""
    if as_json:
        typer.echo(json.dumps(_finite(content), indent=1, ensure_ascii=not _is_unicode(), allow_nan=False))
        return
    for line in lines:
        typer.echo(line)


def _is_unicode() -> bool:
    """Return whether standard output can hold every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines in columns, the first to the left and numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numbers = [all(row[column][:1] in "-+.0123456789i" for row in rows[1:]) for column in range(len(widths))]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, numbers, strict=True)
        ).rstrip()
        for row in rows
    ]


def read_text(name: str) -> str:
    """The text in the file of this name, or on standard input for "-"; InputError where it is no text."""
    return check_text(sys.stdin.buffer.read(), "standard input") if name == "-" else load_text(Path(name))


def load_model(folder: Path, device: str) -> Any:
    """The model in `folder`, a network on the `device` of this name; torch is loaded for networks only."""
    from seqlab.language_model import LanguageModel

    if not (folder / "weights.safetensors").exists():
        return LanguageModel.load(folder)
    from seqlab.machine.devices import choose_device

    return LanguageModel.load(folder, choose_device(device))


def progress(total: int, what: str) -> Any:
    """A bar on standard error: only at a terminal, and only for what takes longer than two seconds."""
    from tqdm import tqdm

    return tqdm(total=total, desc=what, unit=" symbols", unit_scale=True, delay=2, disable=None, leave=False)

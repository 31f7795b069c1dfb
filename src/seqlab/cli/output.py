"""Shared options and output of the commands: models, texts, tables, JSON and progress."""

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
Device = Annotated[str, typer.Option(help="device of a network: auto, cpu or cuda")]


def format_examples(*lines: str) -> str:
    """Return examples for the end of a command's help; \\b keeps click from rewrapping the lines."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def print_result(content: dict[str, Any], as_json: bool, lines: Iterable[str]) -> None:
    """Print `content` as one JSON object, with infinite figures as the string "inf", or else `lines`."""
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
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def align_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines with aligned columns, numbers to the right."""
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
    """Return the text in the file `name`, or of standard input for "-"; InputError where it is no text."""
    return check_text(sys.stdin.buffer.read(), "standard input") if name == "-" else load_text(Path(name))


def load_model(folder: Path, device: str) -> Any:
    """Return the model in `folder`, networks on the device named `device`; torch is loaded for networks only."""
    from seqlab.language_model import LanguageModel

    if not (folder / "weights.safetensors").exists():
        return LanguageModel.load(folder)
    from seqlab.machine.devices import choose_device

    return LanguageModel.load(folder, choose_device(device))


def show_progress(total: int | None, label: str, unit: str = " symbols") -> Any:
    """Return a progress bar on standard error, shown after two seconds and at terminals only."""
    from tqdm import tqdm

    return tqdm(total=total, desc=label, unit=unit, unit_scale=True, delay=2, disable=None, leave=False)

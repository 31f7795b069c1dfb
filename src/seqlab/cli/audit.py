"""seqlab audit: laws of a fair perplexity."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqlab.cli import output
from seqlab.io.errors import InputError

if TYPE_CHECKING:
    from seqlab.audit.foreign import Limits
    from seqlab.audit.laws import Finding
    from seqlab.audit.subject import Subject

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    epilog=output.format_examples(
        "seqlab audit results/default/python_docs/char/rnn/lstm-1x64 results/default/python_docs/char/ngram/mkn-6",
        "seqlab audit other.arpa --text my.txt --json",
        "seqlab audit --model my_model.py:Model --text my.txt",
    )
)
def audit_models(
    models: Annotated[
        list[Path] | None, typer.Argument(help="folders of runs, or ARPA files", metavar="[MODEL]...")
    ] = None,
    foreign: Annotated[
        str | None, typer.Option("--model", help="a class of your own (docs/audit.md)", metavar="FILE.PY:CLASS")
    ] = None,
    text: Annotated[str | None, typer.Option(help="a text in UTF-8 instead of the test split of the run")] = None,
    device: output.Device = "auto",
    seconds: Annotated[float, typer.Option(help="time limit of --model in all", min=1)] = 600,
    call_seconds: Annotated[float, typer.Option(help="time limit of a call of --model", min=1)] = 60,
    memory: Annotated[float, typer.Option(help="memory limit of --model in GiB", min=0.5)] = 8,
    as_json: output.AsJson = False,
) -> None:
    """Check that the perplexity of every MODEL is fair, by ten laws.

    Print for each law its measured value, its bound, and whether it is kept, flagged, broken or skipped. The exit code
    is 1 where a law is broken. Every seed of a network is checked.
    """
    from seqlab.audit.audit import audit
    from seqlab.audit.foreign import Limits

    content = None if text is None else output.read_text(text)
    if not models and foreign is None:
        raise InputError("audit got no model; name folders of runs, ARPA files, or a class with --model")
    limits = Limits(seconds, call_seconds, memory)
    audits = []
    for model in models or []:
        with _open_subjects(model, content, device, limits) as subjects:
            audits += [(name, audit(subject)) for name, subject in subjects]
    if foreign is not None:
        audits.append((foreign, _audit_foreign(foreign, content, limits)))
    is_fair = all(finding.is_kept for _, findings in audits for finding in findings)
    rows = [{"model": name, "laws": [_row(finding) for finding in findings]} for name, findings in audits]
    output.print_result({"is_fair": is_fair, "models": rows}, as_json, _lines(audits))
    if not is_fair:
        raise typer.Exit(1)


@contextmanager
def _open_subjects(
    model: Path, text: str | None, device: str, limits: "Limits"
) -> "Iterator[list[tuple[str, Subject]]]":
    from seqlab.audit.runs import name_seed, open_run, read_arpa_model, read_model

    if model.is_file():
        if text is None:
            raise InputError(f"{model} is a file without a text; give one with --text")
        yield [(str(model), read_arpa_model(model, text))]
        return
    if ".py:" in model.name:
        raise InputError(f"{model} is a class; name it with --model")
    chosen: Any = "cpu"
    if device != "cpu" and (model / "weights.safetensors").exists():
        from seqlab.machine.devices import choose_device

        chosen = choose_device(device)
    opened = open_run(model, chosen, limits) if text is None else nullcontext(read_model(model, text, chosen))
    with opened as subjects:
        yield [(name_seed(str(model), seed), subject) for seed, subject in subjects]


def _audit_foreign(name: str, text: str | None, limits: "Limits") -> "list[Finding]":
    from seqlab.audit.audit import audit
    from seqlab.audit.foreign import open_foreign_model
    from seqlab.audit.runs import read_foreign

    if text is None:
        raise InputError(f"{name} has no text; give one with --text")
    with open_foreign_model(name, limits) as (model, methods):
        return audit(read_foreign(model, methods, text))


def _row(finding: "Finding") -> dict[str, Any]:
    values = {"law": finding.law.name, "value": finding.value, "bound": finding.bound, "unit": finding.law.unit}
    return values | {"outcome": finding.outcome.value, "sentence": finding.sentence}


def _lines(audits: "Sequence[tuple[str, list[Finding]]]") -> Iterator[str]:
    for name, findings in audits:
        yield name
        header = ["law", "value", "bound", "outcome", ""]
        yield from output.align_columns([header, *map(_cells, findings)])
        broken = [finding.law.name for finding in findings if not finding.is_kept]
        yield f"broken: {', '.join(broken)}" if broken else "no law is broken"


def _cells(finding: "Finding") -> list[str]:
    value = "-" if finding.value is None else f"{finding.value:.2g}"
    return [finding.law.name, value, f"{finding.bound:.2g}", finding.outcome.value, finding.sentence]

"""seqlab doctor: what is here, what is missing, and how to get it."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from seqlab.cli.output import AsJson, examples, show
from seqlab.doctor import BAD, examine

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=examples("seqlab doctor", "seqlab doctor --json"))
def doctor(
    folder: Annotated[Path, typer.Option(help="the folder of the workflow")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Look at Python, packages, torch, GPU, Snakemake, MLflow, texts and disk.

    Says what is missing and how to get it. Exit code 1 where something is missing that seqlab can't work without.
    """
    seen = []
    for found in examine(folder):
        seen.append(found)
        if not as_json:
            typer.echo(f"{found.state:<8}{found.what:<11}{found.seen}")
            if found.remedy:
                typer.echo(f"{'':19}-> {found.remedy}")
    missing = [found.what for found in seen if found.state == BAD]
    content = {"well": not missing, "found": [asdict(found) for found in seen]}
    closing = f"missing: {', '.join(missing)}" if missing else "everything that seqlab needs is here"
    show(content, as_json, [closing])
    if missing:
        sys.exit(1)

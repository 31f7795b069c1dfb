"""seqlab doctor: checks of the installation."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from seqlab.cli.output import AsJson, format_examples, print_result
from seqlab.doctor import BAD, examine

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=format_examples("seqlab doctor", "seqlab doctor --json"))
def doctor(
    folder: Annotated[Path, typer.Option(help="folder of the workflow")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Check Python, packages, torch, GPU, Snakemake, MLflow, texts and disk.

    Print what is missing and how to install it. Exit code 1 if a requirement of seqlab is missing.
    """
    diagnoses = []
    for diagnosis in examine(folder):
        diagnoses.append(diagnosis)
        if not as_json:
            typer.echo(f"{diagnosis.state:<8}{diagnosis.what:<11}{diagnosis.seen}")
            if diagnosis.remedy:
                typer.echo(f"{'':19}-> {diagnosis.remedy}")
    missing = [diagnosis.what for diagnosis in diagnoses if diagnosis.state == BAD]
    content = {"well": not missing, "found": [asdict(diagnosis) for diagnosis in diagnoses]}
    closing = f"missing: {', '.join(missing)}" if missing else "all requirements of seqlab are met"
    print_result(content, as_json, [closing])
    if missing:
        sys.exit(1)

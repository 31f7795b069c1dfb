"""seqlab check-crate: checksums and figures of published results."""

from pathlib import Path
from typing import Annotated

import typer

from seqlab.cli.output import AsJson, format_examples, print_result

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=format_examples("seqlab check-crate results/default/crate.zip", "seqlab check-crate unpacked/"))
def check_crate(
    crate: Annotated[Path, typer.Argument(help="crate.zip of `snakemake publish`, or its unpacked folder")],
    as_json: AsJson = False,
) -> None:
    """Check every file of CRATE against its SHA-256, and every figure against the bits of the symbols.

    Nothing is trained. The command fails with the name of the first file that differs.
    """
    from seqlab.crate.checks import check_crate as check

    outcome = check(crate)
    line = f"{crate}: {outcome.files:,} files with {outcome.size:,} bytes have their SHA-256; {outcome.figures:,} "
    line += f"figures of {outcome.runs:,} runs follow from their ledgers"
    print_result(outcome._asdict(), as_json, [line])

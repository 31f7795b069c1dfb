"""seqlab check-tracking: whether runs can be published."""

from pathlib import Path
from typing import Annotated

import typer

from seqlab.cli.output import AsJson, examples, show

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=examples("seqlab check-tracking", "seqlab check-tracking --uri http://127.0.0.1:5000"))
def check(
    uri: Annotated[str, typer.Option(help="an MLflow server or database; else MLFLOW_TRACKING_URI")] = "",
    results: Annotated[Path, typer.Option(help="the tree of results, whose database is the default")] = Path("results"),
    as_json: AsJson = False,
) -> None:
    """Read from the tracking database or server and write to it, as publishing would.

    Where that fails, says why and what helps.
    """
    from seqlab.tracking.connection import address, check_store

    told = check_store(address(results, uri))
    show({"works": True, "told": told}, as_json, [told])

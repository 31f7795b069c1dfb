"""seqlab check-tracking: check that runs can be published."""

from pathlib import Path
from typing import Annotated

import typer

from seqlab.cli.output import AsJson, format_examples, print_result

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=format_examples("seqlab check-tracking", "seqlab check-tracking --uri http://127.0.0.1:5000"))
def check_tracking(
    uri: Annotated[str, typer.Option(help="an MLflow server or database; default: MLFLOW_TRACKING_URI")] = "",
    results: Annotated[Path, typer.Option(help="folder of results, with the default database")] = Path("results"),
    as_json: AsJson = False,
) -> None:
    """Read from the tracking database or server and write to it, as publishing does.

    If that fails, print the cause and the remedy.
    """
    from seqlab.tracking.connection import check_store, resolve_address

    sentence = check_store(resolve_address(results, uri))
    print_result({"works": True, "told": sentence}, as_json, [sentence])

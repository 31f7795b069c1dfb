"""seqlab export: every finished run of every experiment as one tidy table."""

from pathlib import Path
from typing import Annotated

import typer

from seqlab.cli.output import AsJson, examples, show

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=examples("seqlab export runs.parquet", "seqlab export runs.csv --results elsewhere/results"))
def export(
    output: Annotated[Path, typer.Argument(help="the table to write: a name that ends in .csv or .parquet")],
    results: Annotated[Path, typer.Option(help="the tree of results")] = Path("results"),
    as_json: AsJson = False,
) -> None:
    """Write the runs of all experiments in RESULTS as one tidy table: a row for each run, metric and step.

    It is made from the files alone, so MLflow need not be there.
    """
    from seqlab.tracking.export import export_runs

    rows, runs = export_runs(results, output)
    content = {"output": str(output), "rows": rows, "runs": runs}
    show(content, as_json, [f"{output}: {rows:,} rows of {runs:,} runs"])

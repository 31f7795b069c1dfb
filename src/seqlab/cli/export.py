"""seqlab export: all finished runs as one tidy table."""

from pathlib import Path
from typing import Annotated

import typer

from seqlab.cli.output import AsJson, format_examples, print_result

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=format_examples("seqlab export runs.parquet", "seqlab export runs.csv --results elsewhere/results"))
def export(
    output: Annotated[Path, typer.Argument(help="table to write, a .csv or .parquet file")],
    results: Annotated[Path, typer.Option(help="folder of results")] = Path("results"),
    as_json: AsJson = False,
) -> None:
    """Write the runs of all experiments in RESULTS as one tidy table: a row for each run, metric and step.

    The command reads files only and needs no MLflow.
    """
    from seqlab.tracking.export import export_runs

    rows, runs = export_runs(results, output)
    content = {"output": str(output), "rows": rows, "runs": runs}
    print_result(content, as_json, [f"{output}: {rows:,} rows of {runs:,} runs"])

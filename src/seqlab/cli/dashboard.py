"""seqlab dashboard: the tracked runs in MLflow's pages."""

from pathlib import Path
from typing import Annotated

import typer

from seqlab.cli.output import format_examples

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    epilog=format_examples("seqlab dashboard", "seqlab dashboard --writable --port 5001", "seqlab dashboard --stop")
)
def dashboard(
    results: Annotated[Path, typer.Option(help="folder of results")] = Path("results"),
    port: Annotated[int, typer.Option(help="preferred port; another one if it is in use", min=0, max=65535)] = 5000,
    writable: Annotated[bool, typer.Option("--writable", help="let the page rename, tag and delete runs")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="stop the dashboard of these results")] = False,
) -> None:
    """Show the tracked runs in MLflow's pages, on this machine to users with the link, until Ctrl-C.

    If runs are published to an MLflow server, print the links to its pages instead.
    """
    from seqlab.dashboard import session
    from seqlab.dashboard.guide import list_links
    from seqlab.tracking.connection import find_published_address, is_server

    if stop:
        session.stop_dashboard(results)
    elif is_server(uri := find_published_address(results)):
        print(*list_links(uri, uri), sep="\n")
    else:
        session.serve_dashboard(results, port, writable)

"""seqlab dashboard: the tracked runs in MLflow's pages."""

from pathlib import Path
from typing import Annotated

import typer

from seqlab.cli.output import examples

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=examples("seqlab dashboard", "seqlab dashboard --writable --port 5001", "seqlab dashboard --stop"))
def dashboard(
    results: Annotated[Path, typer.Option(help="the tree of results")] = Path("results"),
    port: Annotated[int, typer.Option(help="another is taken if it is in use", min=0, max=65535)] = 5000,
    writable: Annotated[bool, typer.Option("--writable", help="let the page rename, tag and delete runs")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="stop the dashboard of these results")] = False,
) -> None:
    """Show the tracked runs in MLflow's pages, on this machine and to whoever has the link, until Ctrl-C.

    Where runs go to an MLflow server, prints the links of its pages and starts nothing.
    """
    from seqlab.dashboard import session
    from seqlab.dashboard.guide import guide
    from seqlab.tracking.connection import is_server, published_to

    if stop:
        session.stop(results)
    elif is_server(uri := published_to(results)):
        print(*guide(uri, uri), sep="\n")
    else:
        session.serve(results, port, writable)

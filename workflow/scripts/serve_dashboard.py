"""Show the tracked runs in MLflow's pages, on this machine only, until Ctrl-C; or say where on a server they are."""

import argparse
import os
from pathlib import Path

from seqlab.dashboard import HOST, print_links, serve, stop
from seqlab.errors import command
from seqlab.tracking.connection import address, is_server


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="the tree of results (%(default)s)")
    parser.add_argument("--port", type=int, default=5000, help="another is taken if it is in use (%(default)s)")
    parser.add_argument("--stop", action="store_true", help="stop the dashboard of these results")
    arguments = parser.parse_args()
    os.environ["NO_PROXY"] = ",".join(filter(None, [os.environ.get("NO_PROXY"), HOST]))
    results = arguments.results.resolve()
    if arguments.stop:
        stop(results)
    elif is_server(uri := address(results)):
        print_links(uri)
    else:
        serve(results, arguments.port)


if __name__ == "__main__":
    main()

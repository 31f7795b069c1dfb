"""Size of a report, and the time a browser needs to open it.

    python benchmarks/report.py results/default/report.html [--times 5]

Chromium without a window opens the file; `seconds` is the median from the call to the end of the load event, and
`requests` counts the requests of the page other than for itself, which must be 0. The last line is JSON.
"""

import argparse
import json
import shutil
import statistics
from pathlib import Path

from ngram import machine

from seqlab.io.errors import InputError, command


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="a finished report.html")
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        raise InputError("no browser is installed; install chromium")
    if not arguments.report.is_file():
        raise InputError(f"{arguments.report} does not exist; run the workflow first or name another report")
    from playwright.sync_api import sync_playwright

    seconds, asked = [], []
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(arguments.times):
            page = chromium.new_page(viewport={"width": 1200, "height": 900})
            page.on("request", lambda request: asked.append(request.url))
            page.goto(arguments.report.resolve().as_uri())
            seconds.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"))
            page.close()
        chromium.close()
    figures = {"megabytes": round(arguments.report.stat().st_size / 1e6, 2), "seconds": statistics.median(seconds)}
    print(f"{arguments.report}: {figures['megabytes']} MB, opens in {figures['seconds']:.2f} s; {machine()}")
    print(json.dumps(figures | {"requests": len(asked) - arguments.times}))


if __name__ == "__main__":
    main()

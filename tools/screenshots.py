"""Take the screenshots of docs/tracking.md.

python tools/screenshots.py "http://127.0.0.1:5000/?token=..." time_machine/char docs/images

The address is the link with the token that `make dashboard` prints. Needs Chromium, and playwright from the test
dependencies.
"""

import argparse
import io
import shutil
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from seqlab.io.errors import InputError, command
from seqlab.tracking.connection import connect, local_database
from seqlab.tracking.views.catalogue import PAGE_RUNS, list_views
from seqlab.tracking.views.format import run_link

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
SIZE = {"width": 1440, "height": 900}
WAIT = 10  # seconds; a busy machine of two cores needs most of them
COLOURS = 128  # enough for a page, and the file is a third as large


def find_browser() -> str | None:
    """The path of a browser on this machine, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def list_pages(client: Any, text: str) -> dict[str, str]:
    """The views of a text: the name of the picture, and the address after that of the server."""
    experiment = client.get_experiment_by_name(text)
    if experiment is None:
        raise InputError(f"the server has no runs on {text!r}; run the workflow first")
    number = experiment.experiment_id
    pages = sorted(client.search_runs([number], PAGE_RUNS), key=lambda page: page.info.run_name)
    views = {view.link: view.address(number) for view in list_views(text, pages)}
    return views | {"experiment": run_link(number, pages[0].info.run_id)}


def save_picture(page: Any, address: str, path: Path) -> None:
    """Open an address and write its first screen as a PNG of few colours."""
    page.goto(address)
    page.wait_for_timeout(1000 * WAIT)  # charts are drawn some time after the last answer
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}  {path.stat().st_size:,} bytes")


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("link")
    parser.add_argument("text", help="corpus and unit")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="results that the dashboard shows (%(default)s)"
    )
    arguments = parser.parse_args()
    browser = find_browser()
    if browser is None:
        raise InputError(f"none of {', '.join(BROWSERS)} is installed; install one, on Debian `apt install chromium`")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    prefix = arguments.text.replace("/", "_")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = chromium.new_page(viewport=SIZE)
        page.goto(arguments.link)
        page.wait_for_url("**/#/experiments")  # the link with the token leads there
        server = page.url.partition("/#/")[0]
        client = connect(local_database(arguments.results))
        for name, address in list_pages(client, arguments.text).items():
            save_picture(page, server + address, arguments.folder / f"{prefix}_{name}.png")
        chromium.close()


if __name__ == "__main__":
    main()

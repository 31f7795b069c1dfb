"""Take the screenshots of a report: its first screen at three widths, by day and by night.

python tools/report_pictures.py results/default/report.html docs/images

Needs Chromium, and playwright from the test dependencies.
"""

import argparse
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from screenshots import BROWSERS, COLOURS, FLAGS, find_browser

from seqlab.io.errors import InputError, command

SIZES = {390: 844, 768: 1024, 1440: 900}  # widths and heights of a phone, a tablet and a desktop
SCHEMES = ("light", "dark")


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    browser = find_browser()
    if browser is None:
        raise InputError(f"none of {', '.join(BROWSERS)} is installed; install one, on Debian `apt install chromium`")
    if not arguments.report.is_file():
        raise InputError(f"{arguments.report} does not exist; run the workflow first")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        for width, height in SIZES.items():
            for scheme in SCHEMES:
                page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                page.goto(arguments.report.resolve().as_uri())
                picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                path = arguments.folder / f"report_{width}_{scheme}.png"
                picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
                print(f"{path}  {path.stat().st_size:,} bytes")
                page.close()
        chromium.close()


if __name__ == "__main__":
    main()

"""Fill the generated blocks of the pages: python tools/pages.py; --check compares only.

A block lies between `<!-- begin: SOURCE -->` and `<!-- end -->`. SOURCE is a CSV file, shown as a table; the folder of
a package, shown as a tree with the first sentence of every module's docstring; or the folder of published tables, shown
as sections with their results. Its path starts at the project.
"""

import ast
import csv
import re
import sys
from pathlib import Path

from links import pages
from published import markdown, sections

from seqlab.io.errors import InputError, command

ROOT = Path(__file__).parents[1]
PUBLISHED_FOLDER = ROOT / "config/published"
BLOCK = re.compile(r"(<!-- begin: (\S+?)/? -->\n).*?(<!-- end -->)", re.DOTALL)
LINE_LENGTH, NAME_LENGTH = 100, 24


def filled(page: str) -> str:
    """The text of `page` with its generated blocks written anew from their sources."""
    return BLOCK.sub(lambda block: block[1] + block_text(ROOT / block[2], block[0]) + block[3], page)


def block_text(source: Path, present: str) -> str:
    """Return the lines of a block from its source; blocks of other programs stay unchanged."""
    if source.suffix == ".csv":
        return table(source)
    if source == PUBLISHED_FOLDER:
        return "".join([*sections(source), "\n"])
    if source.is_dir():
        return f"```text\n{''.join(tree(source))}```\n"
    return present.split("\n", 1)[1].removesuffix("<!-- end -->")


def table(path: Path) -> str:
    """Return the rows of a CSV file as a table of Markdown."""
    with path.open(encoding="utf-8", newline="") as file:
        return "".join(markdown(list(csv.reader(file))))


def tree(folder: Path, depth: int = 0) -> list[str]:
    """Return a line for `folder` and for every module below it, modules before packages."""
    modules = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    lines = [line(f"{folder.name}/", folder / "__init__.py", depth)]
    lines += [line(path.name, path, depth + 1) for path in modules]
    for package in sorted(path.parent for path in folder.glob("*/__init__.py")):
        lines += tree(package, depth + 1)
    return lines


def line(name: str, module: Path, depth: int) -> str:
    """Return a name and the first sentence of the docstring, or its first clause if the line would be too long."""
    docstring = " ".join((ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or "").split())
    sentence = re.split(r"[.?](?:\s|$)", docstring)[0]
    start = f"{'  ' * depth}{name:{NAME_LENGTH - 2 * depth}}"
    for mark in (r"[:;] ", ", "):
        if len(start + sentence) > LINE_LENGTH:
            sentence = re.split(mark, sentence)[0]
    return f"{start}{sentence}".rstrip() + "\n"


@command
def main() -> None:
    texts = {page: page.read_text(encoding="utf-8") for page in pages()}
    stale = [page for page in texts if filled(texts[page]) != texts[page]]
    if "--check" not in sys.argv:
        for page in stale:
            page.write_text(filled(texts[page]), encoding="utf-8")
    elif stale:
        names = ", ".join(str(page.relative_to(ROOT)) for page in stale)
        raise InputError(f"{names}: a generated block differs from its source; run make docs")


if __name__ == "__main__":
    main()

"""The site that `make docs` builds into site/: README.md, docs/ and the other pages of the project, and a reference of
the API from the docstrings of src/seqlab. A new page needs a line in PAGES.
"""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

ROOT = Path(__file__).parents[1]
PACKAGE, REFERENCE = ROOT / "src" / "seqlab", ROOT / "docs" / "reference"
sys.path.insert(0, str(ROOT / "src"))

PAGES = {  # in reading order
    "First run": "docs/first-run",
    "Results": "docs/results",
    "Published tables": "docs/published",
    "Splits": "docs/splits",
    "State tracking": "docs/state-tracking",
    "Cells": "docs/cells",
    "Tracking": "docs/tracking",
    "Publishing results": "docs/publishing",
    "Command line": "docs/command-line",
    "n-grams for users of KenLM": "docs/ngram",
    "Audit": "docs/audit",
    "Clusters": "docs/clusters",
    "Use from another workflow": "docs/use-as-module",
    "Your own data": "docs/your-data",
    "Reliability": "docs/reliability",
    "Security": "docs/security",
    "Errata of the module": "docs/errata",
    "Architecture": "docs/architecture",
    "File formats": "docs/files",
    "Extending": "docs/extending",
    "Decisions": "docs/decisions/README",
    "API reference": "docs/reference/index",
    "Configuration": "config/README",
    "Benchmarks": "benchmarks/README",
    "Results folder": "results/README",
    "Changelog": "CHANGELOG",
}
DECISIONS = {
    "Ledger and verdicts": "docs/decisions/ledger",
    "n-grams": "docs/decisions/ngrams",
    "Networks": "docs/decisions/networks",
    "Presets": "docs/decisions/presets",
    "GPUs": "docs/decisions/gpus",
    "Series of numbers": "docs/decisions/series",
    "Workflow and files": "docs/decisions/workflow",
    "Tracking": "docs/decisions/tracking",
}

project, author, language = "seqlab", "", "en"
root_doc = "README"
include_patterns = ["*.md", "*/README.md", "docs/**.md", "docs/reference/**"]
exclude_patterns = [".*", "src", "tests", "workflow", "resources", "profiles", "site", "results/[!R]*", "build"]
extensions = ["myst_parser", "sphinx.ext.autodoc"]

myst_heading_anchors = 4  # named as on forges
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 90
nitpicky = True  # names of seqlab in docstrings must exist
TYPE_VARIABLES = "StyledResult|TaskResult|Network|Candidate|Item|Result"
nitpick_ignore_regex = [("py:.*", rf"(?!seqlab\.).*|seqlab\.[a-z.]+\.({TYPE_VARIABLES})")]  # or of another package
autodoc_mock_imports = ["mlflow", "triton"]  # mlflow takes seconds to load; triton comes with torch for GPUs

html_theme = "furo"  # its pages load nothing from other hosts
html_title = "seqlab"
html_static_path, html_css_files = ["static"], ["width.css"]
highlight_language = "none"
html_show_sourcelink = html_copy_source = html_show_sphinx = html_show_copyright = False

CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
ARRAY = re.compile(r"~?numpy\.ndarray\[(?:tuple\[)?~?typing\.Any(?:, \.\.\.\])?, ~?numpy\.dtype\[([^\[\]]+)\]\]")
OTHER = r"[\"']?(?:https?:)?//"  # the beginning of an address on another host
REQUEST = re.compile(
    rf"<(?:script|img|iframe)[^>]+src={OTHER}|<link[^>]+rel=[\"']?(?:stylesheet|preconnect|icon|preload)[^>]+href={OTHER}"
    rf"|@import[^;]*//|url\({OTHER}"
)


def modules() -> dict[str, list[str]]:
    """The names of modules by package; modules outside packages are those of seqlab."""
    packages: dict[str, list[str]] = {"seqlab": ["seqlab"]}
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name != "__init__.py":
            names = ["seqlab", *path.relative_to(PACKAGE).with_suffix("").parts]
            packages.setdefault(".".join(names[:-1]), []).append(".".join(names))
    return packages


def write_reference(app: Sphinx) -> None:
    """Write the sources of the reference, a page for each package; they are not under version control."""
    shutil.rmtree(REFERENCE, ignore_errors=True)
    REFERENCE.mkdir()
    for package, names in modules().items():
        body = "" if package in names else f".. automodule:: {package}\n   :no-members:\n\n"
        body += "".join(f"{name}\n{'-' * len(name)}\n\n.. automodule:: {name}\n\n" for name in names)
        (REFERENCE / f"{package}.rst").write_text(f"{package}\n{'=' * len(package)}\n\n{body}", encoding="utf-8")
    listing = "".join(f"   {package}\n" for package in modules())
    (REFERENCE / "index.rst").write_text(f"API reference\n=============\n\n.. toctree::\n\n{listing}", encoding="utf-8")


def add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the list of pages to the first page and to that of the decisions, on the site only."""
    contents = {root_doc: PAGES, PAGES["Decisions"]: DECISIONS}.get(page)
    if contents:
        entries = "".join(f"{title} </{name}>\n" for title, name in contents.items())
        source[0] += f"\n```{{toctree}}\n:hidden:\n\n{entries}```\n"


def as_restructured_text(app: Sphinx, what: str, name: str, target: Any, options: Any, lines: list[str]) -> None:
    """Turn a docstring, which is prose with `code` and indented blocks, into reStructuredText."""
    blocks = re.split(r"\n\s*\n", "\n".join(lines))
    lines[:] = "\n\n".join(literal(block) if is_indented(block) else paragraph(block) for block in blocks).split("\n")


def is_indented(block: str) -> bool:
    """Return whether a paragraph of a docstring is shown literally."""
    return bool(block.strip()) and all(line.startswith("    ") for line in block.split("\n") if line)


def literal(block: str) -> str:
    """A literal block."""
    return f"::\n\n{block}"


def paragraph(block: str) -> str:
    """Prose without markup but code, in which full names of seqlab become links."""
    place, parts = 0, []
    for code in CODE.finditer(block):
        words = " ".join(code[2].split())
        role = ":py:obj:`~" if re.fullmatch(r"seqlab(\.\w+)+", words) else "``"
        parts += [escaped(block[place : code.start()]), f"\\ {role}{words}{'`' if role[0] == ':' else '``'}\\ "]
        place = code.end()
    return "".join([*parts, escaped(block[place:])])


def escaped(text: str) -> str:
    """Text without marks of reStructuredText."""
    return re.sub(r"([\\*|_`])", r"\\\1", text)


def with_short_arrays(
    app: Sphinx, what: str, name: str, target: Any, options: Any, arguments: str | None, result: str | None
) -> tuple[str | None, ...]:
    """A signature with NDArray as the code has it, instead of its expansion."""
    return tuple(text and ARRAY.sub(r"NDArray[\1]", text) for text in (arguments, result))


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Make the first page index.html, and refuse pages that load anything from another host."""
    if exception is None:
        site = Path(app.outdir)
        shutil.copy2(site / f"{root_doc}.html", site / "index.html")
        for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
            if request := REQUEST.search(path.read_text(encoding="utf-8")):
                raise SphinxError(f"{path} loads from another host: {request[0]}...; give the site a copy of that file")


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", write_reference)
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-docstring", as_restructured_text)
    app.connect("autodoc-process-signature", with_short_arrays)
    app.connect("build-finished", finish)

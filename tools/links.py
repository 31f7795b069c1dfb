"""Check the links of the project's Markdown pages: python tools/links.py.

Every relative link must lead to an existing file, and every #anchor to a heading, under the name that GitHub gives it.
Links to other hosts are not followed.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from seqlab.io.errors import InputError, command

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^ {0,3}(```|~~~)")
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|<(?:img|a)\s[^>]*?(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*$")
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)  # https:, mailto:


def pages(root: Path = ROOT) -> list[Path]:
    """The pages of the project: the Markdown files of its root and docs, and the README.md of every folder."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("[!.]*/README.md")])


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """Number and text of every line of `page` outside code blocks; code inside a line is blanked."""
    fence = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        mark = FENCE.match(line)
        if mark and fence in (None, mark[1]):
            fence = mark[1] if fence is None else None
        elif fence is None and not line.startswith("    "):
            yield number, CODE.sub(lambda code: "`" * len(code[0]), line)


def links(page: Path) -> list[tuple[int, str]]:
    """Return line and target of every link of `page` within the project, including images."""
    targets = [(number, match[1] or match[2]) for number, line in prose(page) for match in LINK.finditer(line)]
    return [(number, target) for number, target in targets if not ELSEWHERE.match(target)]


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of `page`, as GitHub makes them: small letters, hyphens, repeated names numbered."""
    lines = page.read_text(encoding="utf-8").splitlines()
    headings = filter(None, (HEADING.match(lines[number - 1]) for number, _ in prose(page)))
    seen: Counter[str] = Counter()
    names = set()
    for heading in headings:
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])  # those of a link
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        names.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return names


def broken(root: Path = ROOT) -> list[str]:
    """Return a sentence for every broken link under `root`."""
    targets = ((page, number, target) for page in pages(root) for number, target in links(page))
    faults = (
        (f"{page.relative_to(root)}:{number} links to {target}", fault_of(target, page, root))
        for page, number, target in targets
    )
    return [f"{link}, {fault}" for link, fault in faults if fault]


def fault_of(target: str, page: Path, root: Path) -> str:
    """The fault of a link of `page`; empty for a link that leads somewhere."""
    path, _, anchor = unquote(target).partition("#")
    file = (page.parent / path if path else page).resolve()
    if not file.is_relative_to(root.resolve()) or not file.is_file():
        return "which is not a file of the project"
    if anchor and file.suffix == ".md" and anchor not in anchors(file):
        return f"but {file.relative_to(root.resolve())} has no such heading"
    return ""


@command
def main() -> None:
    if faults := broken():
        raise InputError(f"{'; '.join(faults)}; correct the links")


if __name__ == "__main__":
    main()

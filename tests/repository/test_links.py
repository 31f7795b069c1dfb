"""Links of the project's pages: those that lead nowhere are found, others are left alone."""

import re
import sys
from pathlib import Path

import pytest
from project import ROOT

sys.path.insert(0, str(ROOT / "tools"))

from links import anchors, broken, links, pages


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "picture.svg").write_text("<svg/>")
    (tmp_path / "docs" / "results.md").write_text(
        "# Results\n## By `k`, in bits!\n## Twin\n## Twin\n[home](../README.md)\n"
    )
    return tmp_path


def write(project: Path, text: str) -> list[str]:
    """What is found broken when README.md is `text`."""
    (project / "README.md").write_text(text)
    return broken(project)


def test_no_link_of_the_project_leads_nowhere() -> None:
    assert broken() == []


def test_the_site_names_every_page_and_no_other() -> None:
    titled = re.findall(r'^    "[^"]+": "([^"]+)",', (ROOT / "docs/conf.py").read_text(), flags=re.MULTILINE)
    found = {page.relative_to(ROOT).with_suffix("").as_posix() for page in pages() if page.parent.name != "resources"}
    assert {*titled} - {"docs/reference/index"} == found - {"README"}


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("docs/no.md", "which is not a file of the project"),
        ("docs", "which is not a file of the project"),
        ("../README.md", "which is not a file of the project"),
        ("docs/results.md#by-n", "but docs/results.md has no such heading"),
        ("docs/results.md#twin-2", "but docs/results.md has no such heading"),
        ("#results", "but README.md has no such heading"),
    ],
)
def test_a_link_that_leads_nowhere_is_named_with_its_line(project: Path, target: str, fault: str) -> None:
    assert write(project, f"# Home\n\nSee [there]({target}).\n") == [f"README.md:3 links to {target}, {fault}"]


def test_an_image_that_is_not_there_is_named(project: Path) -> None:
    assert write(project, "![a plot](plot.svg) ![a picture](picture.svg)") == [
        "README.md:1 links to plot.svg, which is not a file of the project"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[there](docs/results.md#by-k-in-bits) [twin](docs/results.md#twin-1) ![all](picture.svg)",
        "# Home\n[up](#home) [elsewhere](https://example.org/no) [mail](mailto:a@example.org)",
        "`[code](no.md)`\n\n```\n[code](no.md)\n```\n\n    [code](no.md)\n",
    ],
)
def test_links_that_lead_somewhere_and_code_are_left_alone(project: Path, text: str) -> None:
    assert write(project, text) == []


def test_a_heading_with_a_link_is_named_by_its_words(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# See [the other](other.md) page\n```\n# no heading\n```\n")
    assert anchors(page) == {"see-the-other-page"}
    assert links(page) == [(1, "other.md")]

"""What the report shows has a rule, a program and a caption, and none of these is without a place in the report."""

import re
from pathlib import Path

from seqlab.report.contents import FIGURES, SERIES_FIGURES

WORKFLOW = Path(__file__).parents[2] / "workflow"
NAMES = sorted([*FIGURES, *SERIES_FIGURES])
RULES = "".join(path.read_text(encoding="utf-8") for path in sorted((WORKFLOW / "rules").glob("*.smk")))


def test_every_figure_has_a_rule() -> None:
    assert sorted(re.findall(r"^rule plot_(\w+):", RULES, flags=re.MULTILINE)) == NAMES


def test_every_figure_is_drawn_where_snakemake_runs_and_not_as_a_job_of_a_cluster() -> None:
    assert sorted(re.findall(r"^    plot_(\w+),", RULES, flags=re.MULTILINE)) == NAMES


def test_every_figure_has_a_program() -> None:
    assert sorted(path.stem.removeprefix("plot_") for path in (WORKFLOW / "scripts").glob("plot_*.py")) == NAMES


def test_every_figure_has_a_caption_for_the_report_of_snakemake() -> None:
    assert [name for name in NAMES if not (WORKFLOW / "report" / f"{name}.rst").is_file()] == []
    assert sorted(re.findall(r'caption="../report/(\w+)\.rst",\s+category="[^"]*",\s+labels', RULES)) == NAMES


def test_no_figure_of_a_text_has_the_name_of_one_of_a_series() -> None:
    assert len(set(NAMES)) == len(NAMES)

"""docs/extending.md, followed word by word in a copy of the project: what it adds is there, and does what it should."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from made_results import NOTHING_TO_SPELL, make_results
from project import ROOT, Project, bare_project

from seqlab.io.runs import read_experiment
from seqlab.io.tables import write_table
from seqlab.report.contents import TEXT_FIGURES, figure_file
from seqlab.report.tables import summarize_texts

STEP = re.compile(
    r"^(?:New file|In|At the end of) `(?P<file>[^`]+)`(?:, (?P<how>after|instead of) `(?P<place>[^`]+)`)?:\n\n"
    r"```\w*\n(?P<text>.*?)```$",
    flags=re.MULTILINE | re.DOTALL,
)


def recipe(heading: str) -> list[dict[str, str]]:
    """The steps under a heading of the page: a file, and a text that it begins with, ends with or gets at a place."""
    page = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    steps = [found.groupdict() for found in STEP.finditer(section)]
    assert len(steps) == section.count("```") / 2, "a block of code does not say where it goes"
    return steps


def follow(heading: str, folder: Path) -> Project:
    """A copy of the project in which every step of a recipe was done."""
    project = bare_project(folder)
    for step in recipe(heading):
        path = folder / step["file"]
        if step["place"] is None:
            path.write_text((path.read_text() if path.exists() else "") + step["text"])
            continue
        text = path.read_text()
        assert text.count(step["place"]) == 1, f"{step['place']} stands not once in {step['file']}"
        before, after = text.split(step["place"])
        if step["how"] == "after":  # the line
            line, rest = after.split("\n", 1)
            path.write_text(f"{before}{step['place']}{line}\n{step['text']}{rest}")
        else:
            path.write_text(before + step["text"].rstrip("\n") + after)
    return project


def python(project: Project, *arguments: str) -> str:
    """What Python prints in a copy, with the library of that copy."""
    environment = os.environ | {"PYTHONPATH": str(project.folder / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=project.folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


ACCEPTED = """
import yaml
from seqlab.configuration import resolve_corpora
read = lambda path: yaml.safe_load(open(path))
config = read("config/config.yaml")
config["ngram"] += ngrams
config["rnn"]["cells"] += cells
config["forecast"]["networks"] += cells
resolve_corpora(config, read("config/corpora.yaml"))
"""


def test_a_corpus_is_cleaned_as_its_block_says(tmp_path: Path) -> None:
    project = follow("A corpus", tmp_path)
    (tmp_path / "fables.txt").write_text("The Fox & the Crow, 1.\n\nTHE wolf; the lamb!\n")
    done = project.snakemake("results/corpora/fables/clean.txt", "--config", "corpus=fables")
    assert done.returncode == 0, done.stdout
    clean = (tmp_path / "results/corpora/fables/clean.txt").read_text()
    assert " ".join(clean.split()) == "the fox the crow the wolf the lamb"


def test_a_smoothing_has_the_probabilities_of_its_formula(tmp_path: Path) -> None:
    project = follow("A smoothing", tmp_path)
    python(project, "-c", "ngrams, cells = [{'smoothing': 'share', 'orders': [2]}], []" + ACCEPTED + textwrap.dedent("""
        import numpy as np
        from seqlab.ngram.model import distribution
        from seqlab.ngram.smoothing import estimate
        model = estimate("share", [np.array([1, 2, 1, 2, 2])], 2, 4).model
        first = 0.8 * np.array([0, 2, 3, 0]) / 5 + 0.2 / 4
        np.testing.assert_allclose(distribution(model, []), first)
        np.testing.assert_allclose(distribution(model, [2]), 0.8 * np.array([0, 1, 1, 0]) / 2 + 0.2 * first)
        np.testing.assert_allclose(distribution(model, [3]), first)  # never seen
        np.testing.assert_allclose([distribution(model, [k]).sum() for k in range(4)], 1)
    """))  # fmt: skip


def test_a_cell_learns_and_its_gradient_is_right(tmp_path: Path) -> None:
    project = follow("A cell", tmp_path)
    python(project, "-c", "ngrams, cells = [], ['leaky']" + ACCEPTED + textwrap.dedent("""
        import numpy as np, torch
        from seqlab.fleet.cells import CELLS
        from seqlab.fleet.fleet import Fleet
        from seqlab.rnn.network import Architecture
        from seqlab.rnn.scoring import stream_bits
        from seqlab.rnn.task import LanguageTask
        from seqlab.fleet.settings import TrainingSettings
        from seqlab.fleet.training import train_fleet
        draw = lambda *shape: torch.randn(shape, dtype=torch.float64, requires_grad=True)
        x, h, w = draw(3, 2, 1, 4), draw(2, 1, 4), draw(2, 4, 4)
        layer = lambda x, h, w: CELLS["leaky"].layer(x, (h,), w)[0]
        for replica in range(2):
            state = h[replica]
            for step in range(3):
                state = state / 2 + torch.tanh(x[step, replica] + state @ w[replica]) / 2
                torch.testing.assert_close(layer(x, h, w)[step, replica], state)
        assert torch.autograd.gradcheck(layer, (x, h, w))
        settings = TrainingSettings.from_configuration(
            "config/config.yaml", epochs=2, steps=5, batch_size=4, learning_rate=0.02, precision="bfloat16"
        )
        fleet = Fleet.start(Architecture("leaky", 2, 6, 3), settings, [1, 2], torch.device("cpu"))
        text = np.tile([0, 1, 2], 60)
        train_fleet(fleet, LanguageTask.of(fleet.network, text, [text[:60]]), report=lambda line: None)
        assert (stream_bits(fleet.network, fleet.parameters, [text]).mean(1) < np.log2(3)).all()
    """))  # fmt: skip


@pytest.fixture(scope="module")
def with_figure(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return follow("A figure", tmp_path_factory.mktemp("figure"))


def test_a_figure_is_drawn_and_shown_in_the_report(with_figure: Project) -> None:
    make_results(with_figure.folder)
    experiment = read_experiment(with_figure.folder / "results/made/runs.json")
    (place,) = experiment.prepared
    write_table(place.file("models.csv"), summarize_texts(experiment.runs, NOTHING_TO_SPELL)[1])
    listed = ("--experiment", "results/made/runs.json")
    figure = ("--corpus", "toy", "--unit", "char", "--figure", "spread", "--output", figure_file(place, "spread"))
    python(with_figure, "workflow/scripts/plot_figure.py", *listed, *figure)
    python(with_figure, "workflow/scripts/write_report.py", *listed, "--output", "results/made/report.html")
    assert "Spread of toy, char: Standard deviation" in (with_figure.folder / "results/made/report.html").read_text()


def test_a_figure_is_asked_for_by_the_workflow(with_figure: Project) -> None:
    assert with_figure.planned("--configfile", "config/smoke.yaml")["plot_figure"] == len(TEXT_FIGURES) + 1

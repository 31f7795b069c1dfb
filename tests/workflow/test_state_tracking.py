"""An experiment on words over a group, from its corpora to the figure, the report and printed errors."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from project import Project

from seqlab.io.files import read_json

SPLIT = "split: {train: 0.8, valid: 0.1, test: 0.1}"
CONFIGURATION = f"""
corpora: [words, even_process]
units: [char]
{SPLIT}
ngram: [{{smoothing: mkn, orders: [3]}}]
rnn: {{cells: [rnn], layers: [1], hidden: [8], seeds: [1, 2], training: {{epochs: 1, steps: 20}}}}
compressors: [xz]
memory: {{contexts: [1, 4], symbols: 50}}
horizon: {{steps: [1], symbols: 20, samples: 4}}
published:
  title: A paper (1999)
  source: A paper, table 1
  evidence: memory
  unit: error
  protocol: second_text
  tolerance: 0.2
  cells:
    - {{name: trigram, printed: 0.5, run: {{corpus: words, order: 3}}}}
    - {{name: trigram on test, printed: 0.0, protocol: stream, run: {{corpus: words, order: 3}}}}
"""


def test_answers_are_scored_by_their_gaps_on_both_texts(empty_project: Project, tmp_path: Path) -> None:
    corpora = empty_project.folder / "config/corpora.yaml"
    blocks = yaml.safe_load(corpora.read_text())
    second = {"settings": {"question": 0.05}, "length": 4000, "seed": 2}
    words = blocks["parity"] | {"length": 10_000, "second_text": second}
    corpora.write_text(yaml.safe_dump({"words": words, "even_process": blocks["even_process"] | {"length": 5000}}))
    configuration = tmp_path / "toy.yaml"
    configuration.write_text(CONFIGURATION)
    run = empty_project.snakemake("--configfile", str(configuration))
    assert run.returncode == 0, run.stdout

    results = empty_project.folder / "results/toy"
    place = results / "words/char"
    gaps = pd.read_csv(place / "gaps.csv")
    assert set(gaps["model"]) == {"true-source", "mkn-3", "rnn-1x8"} and set(gaps["text"]) == {"test", "second text"}
    whole = gaps[gaps["longest"] == float("inf")].set_index(["text", "model", "seed"])["bits_per_answer"].sort_index()
    models = pd.read_csv(place / "models.csv").query("split == 'test'").set_index("model")["bits_per_answer"]
    assert whole.loc["test", "rnn-1x8"].mean() == pytest.approx(models["rnn-1x8"])
    assert pd.isna(models["xz"]) and models["true-source"] < 0.05
    assert read_json(place / "source/true-source/metrics.json")["answers"]["chance"] == pytest.approx(1)

    assert (place / "figures/gaps.svg").is_file() and not (results / "even_process/char/gaps.csv").exists()
    page = (results / "report.html").read_text()
    assert page.count("<h3>Answers</h3>") == 1 and page.count("An answer costs 0.000 bits at best") == 1
    assert "2 printed values: 1 reproduced, 1 not reached" in run.stdout

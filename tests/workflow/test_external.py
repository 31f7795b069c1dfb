"""Models of other programs in an experiment, from their files to the report."""

from pathlib import Path

import pandas as pd
from project import Project

CONFIGURATION = """
corpora: [even_process]
units: [char]
ngram: [{smoothing: mkn, orders: [2]}]
rnn: {cells: []}
compressors: []
mixtures: {}
audit: true
external:
  models:
    mine: {model: mine.py:Model}
    table: {arpa: table.arpa}
"""
MODEL = """
import math

class Model:
    def symbols(self):
        return ["1", "0"]

    def log2_probabilities(self, prefix):
        return [math.log2(2 / 3), math.log2(1 / 3)]
"""
ARPA = """\\data\\
ngram 1=3

\\1-grams:
-99 <unk>
-0.30103 0
-0.30103 1

\\end\\
"""


def test_external_models_are_scored_compared_and_audited(empty_project: Project, tmp_path: Path) -> None:
    configuration, folder = tmp_path / "foreign.yaml", empty_project.folder
    configuration.write_text(CONFIGURATION)
    (folder / "mine.py").write_text(MODEL)
    (folder / "table.arpa").write_text(ARPA)
    done = empty_project.snakemake("--configfile", str(configuration))
    assert done.returncode == 0, done.stdout
    assert "Audited: 3 models break none of 10 laws of a fair perplexity." in done.stdout

    place = folder / "results/foreign/even_process/char"
    test = pd.read_csv(place / "models.csv").query("split == 'test'").set_index("model")
    assert abs(test.loc["table", "perplexity"] - 2) < 1e-4
    assert test.loc["mine", "perplexity"] < 2  # two thirds of the symbols are 1
    verdicts = pd.read_csv(place / "verdicts.csv").set_index(["model", "against"])["verdict"]
    assert verdicts["mine", "mkn-2"] == "worse"
    page = (folder / "results/foreign/report.html").read_text()
    assert "The best external model (chosen on the validation split), mine, has" in page
    assert '<a href="even_process/char/audit.csv">' in page

    (folder / "mine.py").write_text(MODEL.replace("2 / 3", "5 / 6"))
    planned = empty_project.planned("--configfile", str(configuration))
    assert planned["score_external"] == 1 and planned["audit_models"] == 1
    assert not {"train_ngram", "encode_corpus"} & set(planned)

    done = empty_project.snakemake("--configfile", str(configuration))
    assert done.returncode == 0, done.stdout  # a broken law is a result
    end = done.stdout[done.stdout.index("100%") :]
    assert "warning: even_process by char: Audited: 2 of 3 models break none of 10 laws" in end
    assert "mine breaks the law 'normalised': the probabilities after 1 given symbols sum to 1.16666667." in end

"""An experiment that is compared with a published table, from its configuration to the last line in the terminal."""

from pathlib import Path

import pandas as pd
from project import Project

CONFIGURATION = """
corpora: [even_process]
units: [char]
ngram: [{smoothing: mkn, orders: [1, 2, 3]}]
rnn: {cells: []}
compressors: []
published:
  title: A paper (1999)
  source: A paper, table 1
  evidence: memory
  unit: perplexity
  protocol: stream
  tolerance: TOLERANCE
  cells:
    - {name: trigram, printed: 1.74, run: {order: 3}}
    - {name: bigram in windows, printed: 1.5, protocol: windows, window: 20, run: {order: 2}}
"""


def test_every_printed_value_gets_a_verdict(empty_project: Project, tmp_path: Path) -> None:
    configuration = tmp_path / "toy.yaml"
    configuration.write_text(CONFIGURATION.replace("TOLERANCE", "0.01"))
    done = empty_project.snakemake("--configfile", str(configuration))
    assert done.returncode == 0, done.stdout
    assert "note: published.cells has no printed value for mkn-1 on even_process by char; add a cell" in done.stdout
    assert "2 printed values: 1 reproduced, 1 not reached" in done.stdout[done.stdout.index("100%") :]
    page = (empty_project.folder / "results/toy/report.html").read_text()
    assert "2 printed values of A paper (1999): 1 reproduced, 1 not reached." in page

    place = empty_project.folder / "results/toy/even_process/char"
    rows = pd.read_csv(place / "published.csv").set_index("cell")
    models = pd.read_csv(place / "models.csv").query("split == 'test'").set_index("model")
    assert abs(rows.loc["trigram", "figure"] - models.loc["mkn-3", "perplexity"]) < 1e-5
    assert rows.loc["bigram in windows", ["model", "protocol"]].tolist() == ["mkn-2", "windows of 20"]

    configuration.write_text(CONFIGURATION.replace("TOLERANCE", "0.5"))
    planned = empty_project.planned("--configfile", str(configuration))
    assert set(planned) == {"compare_published", "write_report", "track_runs"}

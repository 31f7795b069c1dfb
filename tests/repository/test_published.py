"""docs/published.md: a section for every table of config/published, with its results where they are committed."""

import sys
from pathlib import Path

import pytest
from project import ROOT

from seqlab.io.errors import InputError

sys.path.insert(0, str(ROOT / "tools"))

import published

TABLE = """# A table of one page.
# Its networks are small.
#   snakemake --configfile config/published/toy1999.yaml
corpora: [even_process]

published:
  title: A paper (1999)
  source: A paper, table 1
  evidence: memory
  unit: bits
  protocol: windows
  window: 50
  tolerance: 0.01
  cells:
    - {name: LSTM, printed: 0.70, run: {cell: lstm}}
    - {name: RNN, printed: 0.75, protocol: stream, run: {cell: rnn}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one published table."""
    monkeypatch.setattr(published, "ROOT", tmp_path)
    for name in ("config/published", "docs/results"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "config/published/toy1999.yaml").write_text(TABLE)
    return tmp_path


def section(folder: Path) -> str:
    return "".join(published.sections(folder / "config/published"))


def test_a_table_without_results_shows_the_printed_values(folder: Path) -> None:
    assert section(folder) == (
        "\n## A paper (1999): toy1999\n"
        "A table of one page. Its networks are small.\n"
        "\n    snakemake --configfile config/published/toy1999.yaml\n\n"
        "| cell | unit | protocol | printed | tolerance | source |\n| --- | --- | --- | --- | --- | --- |\n"
        "| LSTM | bits | windows of 50 | 0.7 | 0.01 | A paper, table 1 (memory) |\n"
        "| RNN | bits | stream | 0.75 | 0.01 | A paper, table 1 (memory) |\n"
    )


def test_committed_results_are_shown(folder: Path) -> None:
    (folder / "docs/results/toy1999.csv").write_text("cell,printed,seqlab\nLSTM,0.7,0.69\nRNN,0.75,0.8\n")
    assert section(folder).endswith(
        "| cell | printed | seqlab |\n| --- | --- | --- |\n| LSTM | 0.7 | 0.69 |\n| RNN | 0.75 | 0.8 |\n"
    )


@pytest.mark.parametrize("rows", ["LSTM,0.7,0.69\n", "LSTM,0.7,0.69\nRNN,0.76,0.8\n"])
def test_results_of_other_cells_are_refused(folder: Path, rows: str) -> None:
    (folder / "docs/results/toy1999.csv").write_text(f"cell,printed,seqlab\n{rows}")
    with pytest.raises(InputError, match=r"toy1999\.csv has other cells than config/published/toy1999\.yaml; run that"):
        section(folder)

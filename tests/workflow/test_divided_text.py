"""A text that comes as three files."""

import json
from pathlib import Path

from project import Project

from seqlab.text.vocab import Vocab


def test_a_folder_of_three_files_is_taken_as_it_is_divided(empty_project: Project, tmp_path: Path) -> None:
    project = empty_project.copy(tmp_path / "project")
    texts = {"train": "abcab cabba " * 200, "valid": "abba cab " * 30, "test": "bab zac " * 20}
    (tmp_path / "divided").mkdir()
    for name, text in texts.items():
        (tmp_path / "divided" / f"{name}.txt").write_text(text)
    few = ("ngram=[{smoothing: mkn, orders: [2]}]", "rnn={cells: [rnn], seeds: [1]}", "compressors=[]")
    smoke = ("--configfile", "config/smoke.yaml", "--config", f"corpus={tmp_path / 'divided'}", "cleaning=none", *few)
    tables = [f"results/smoke/divided/char/{name}" for name in ("models.csv", "protocols.csv", "check.json")]
    done = project.snakemake(*smoke, "--", *tables)
    assert done.returncode == 0, done.stdout
    base = project.folder / "results/corpora/divided/char"
    splits = json.loads((base / "splits.json").read_text())["splits"]
    assert {name: splits[name]["symbols"] for name in splits} == {name: len(texts[name]) for name in texts}
    assert splits["test"]["unknown"] == 20  # every z, since the vocabulary is that of train
    assert Vocab.load(base / "vocab.json").tokens == ["<unk>", "a", "b", " ", "c"]

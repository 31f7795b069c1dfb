"""Bad input ends non-zero with one sentence, before any training, and leaves no half-written output.

One input for each place that refuses some; test_bad_input.py has the others, which need no Snakemake.
"""

from pathlib import Path

import pytest
from project import Project

SMOKE = ("--configfile", "config/smoke.yaml")


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        ("rnn: {hiden: [8]}", "key 'rnn.hiden' is unknown; did you mean 'hidden'?"),
        ("mixtures: {both: [mkn-99]}", "mixtures.both has the part 'mkn-99', which is not a model of this experiment"),
        ("units: [word]", "corpus 'even_process' has no unit of ['word']"),
    ],
)
def test_wrong_configuration(empty_project: Project, tmp_path: Path, overlay: str, sentence: str) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(overlay)
    done = empty_project.snakemake("--configfile", "config/smoke.yaml", str(wrong))
    assert done.returncode != 0
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout
    assert not (empty_project.folder / "results").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<!DOCTYPE html>\n<html><body>Please log in</body></html>" * 100, "HTML"),
        (b"ab" * 21, "needs"),
        (b"The same line again and again, so that test stands in train.\n" * 99, "100.0% of valid is also in train"),
    ],
    ids=["login page", "shorter than a subsequence", "copied"],
)
def test_wrong_text(empty_project: Project, tmp_path: Path, content: bytes, sentence: str) -> None:
    text = tmp_path / "wrong.txt"
    text.write_bytes(content)
    done = empty_project.snakemake(*SMOKE, "--config", f"corpus={text}")
    assert done.returncode != 0
    errors = [line for line in done.stdout.splitlines() if line.strip().startswith("error:")]
    assert errors
    assert sentence in errors[0]
    closing = done.stdout.rstrip().splitlines()[-6:]
    assert any(line.startswith("error:") for line in closing)  # not only somewhere in the middle
    assert "Traceback" not in done.stdout
    trained = [*empty_project.folder.rglob("model.npz"), *empty_project.folder.rglob("weights.safetensors")]
    assert trained == []
    leftovers = [path for path in empty_project.folder.rglob("*.txt") if path.name.startswith(".")]
    assert leftovers == []


def test_a_corpus_without_its_files(empty_project: Project) -> None:
    with (empty_project.folder / "config/corpora.yaml").open("a") as file:
        file.write(
            "treebank: {title: Treebank, kind: path, path: nowhere/treebank.txt, licence: your own, cleaning: none, "
            "units: [char]}\n"
        )
    done = empty_project.snakemake(*SMOKE, "--config", "corpora=[treebank]")
    assert done.returncode != 0 and "Traceback" not in done.stdout
    assert "corpus 'treebank' lacks nowhere/treebank.txt; put the text there (licence: your own), or" in done.stdout
    assert not (empty_project.folder / "results").exists()


def test_missing_text(empty_project: Project) -> None:
    done = empty_project.snakemake(*SMOKE, "--config", "corpus=nowhere/my.txt")
    assert done.returncode != 0
    assert "corpus 'nowhere/my.txt' is neither a file, nor a folder" in done.stdout


def test_wrong_checksum_in_the_mirror(empty_project: Project, tmp_path: Path) -> None:
    (tmp_path / "time_machine.txt").write_text("not the book\n" * 1000)
    done = empty_project.snakemake(*SMOKE, "--config", "corpus=time_machine", SEQLAB_MIRROR=str(tmp_path))
    assert done.returncode != 0
    assert "8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516" in done.stdout
    assert not (empty_project.folder / "resources/time_machine/raw.txt").exists()

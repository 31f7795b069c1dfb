"""A file among the results that is damaged is refused by name, or harmless; it never gives another number.

SEQLAB_FLIPS is how often each file is damaged, 12 times if it is not set; tools/reliability.py sets it.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from project import Project

from seqlab.fleet.checkpoint import load_checkpoint, save_checkpoint
from seqlab.io.arrays import read_arrays
from seqlab.io.cards import read_card
from seqlab.io.errors import InputError
from seqlab.io.files import read_json, verified
from seqlab.io.runs import read_experiment
from seqlab.ledger.perplexity import read_metrics
from seqlab.ledger.scores import read_scores
from seqlab.ngram.model import BackoffModel
from seqlab.ngram.shards import count_shard, merge_shards, read_counts
from seqlab.questions.verdicts import read_verdicts
from seqlab.report.tables import read_text_models
from seqlab.rnn.network import load_network
from seqlab.text.reading import load_text, read_clean
from seqlab.text.splits import read_ids, read_splits, segments_of
from seqlab.text.unknown import read_unknown
from seqlab.text.vocab import Vocab

FLIPS = int(os.environ.get("SEQLAB_FLIPS", "12"))
BASE = Path("results/smoke/even_process/char")
PREPARED = Path("results/corpora/even_process/char")
NGRAM, RNN = BASE / "ngram/mkn-3", BASE / "rnn/lstm-1x8"
SMOKE = ("--configfile", "config/smoke.yaml")


def plain(value: Any) -> Any:
    """`value` in a form that can be compared, whatever arrays and objects it is made of."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if hasattr(value, "numpy"):
        return plain(value.numpy())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return plain(vars(value)) if hasattr(value, "__dict__") else value


def table(path: Path) -> bytes:
    """What any reader of a table or figure is given."""
    return verified(path).read_bytes()


def ids(path: Path) -> Any:
    return read_ids(path, read_splits(path.with_name("splits.json")))


def checkpoint(path: Path) -> Any:
    return load_checkpoint(path, "this run")


READERS: list[tuple[Path, Callable[[Path], Any]]] = [
    (Path("resources/even_process/raw.txt"), load_text),
    (Path("results/corpora/even_process/clean.txt"), read_clean),
    (PREPARED / "vocab.json", Vocab.load),
    (PREPARED / "ids.npy", ids),
    (PREPARED / "splits.json", read_splits),
    (BASE / "check.json", read_json),
    (NGRAM / "card.yaml", read_card),
    (NGRAM / "model.npz", BackoffModel.load),
    (NGRAM / "training.json", read_json),
    (NGRAM / "scores.npz", read_scores),
    (NGRAM / "metrics.json", read_metrics),
    (BASE / "mixture/best-rnn-seeds/metrics.json", read_metrics),
    (RNN / "weights.safetensors", lambda path: load_network(path.parent)),
    (RNN / "network.json", lambda path: load_network(path.parent)),
    (RNN / "unfinished.safetensors", checkpoint),
    (RNN / "history.csv", table),
    (BASE / "summary.csv", table),
    (BASE / "models.csv", read_text_models),
    (BASE / "verdicts.csv", read_verdicts),
    (BASE / "breakdown.csv", table),
    (BASE / "memory.csv", table),
    (BASE / "contrast.json", read_json),
    (PREPARED / "unknown.json", read_unknown),
    (PREPARED / "bytes.npz", read_arrays),
    (PREPARED.parent / "source.json", read_json),
    (Path("results/smoke/runs.json"), read_experiment),
    (BASE / "horizon.csv", table),
    (BASE / "protocols.csv", table),
    (BASE / "figures/perplexity_by_order.svg", table),
    (BASE / "counts/merged/count_2.npy", lambda path: read_counts(path.parent, 3, 3)),
]


@pytest.fixture(scope="module")
def whole(smoke: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished smoke experiment, with a checkpoint and merged counts, which it does not keep."""
    project = smoke.copy(tmp_path_factory.mktemp("damage"))
    _, parameters, _ = load_network(project.folder / RNN)
    save_checkpoint(project.folder / RNN / "unfinished.safetensors", parameters, {"epoch": 1}, "this run")
    base = project.folder / BASE
    splits = read_splits(project.folder / PREPARED / "splits.json")
    train = segments_of(read_ids(project.folder / PREPARED / "ids.npy", splits), splits, "train")
    count_shard(base / "counts/1-of-1", train, 3, 3, 1, 1, 100)
    merge_shards(base / "counts/merged", [base / "counts/1-of-1"], 3, 3, 100)
    return project


def damages(content: bytes, chance: random.Random) -> list[tuple[str, bytes]]:
    """`content` with a byte changed, with its end missing, and with a stretch of zeros, all at random places."""
    made = []
    for number in range(FLIPS):
        place = chance.randrange(len(content))
        if number % 4 == 3:
            made.append(("cut off", content[:place]))
        elif number % 4 == 2:
            zeros = content[:place] + bytes(len(content[place : place + 512])) + content[place + 512 :]
            made.append(("zeros", zeros))
        else:
            flipped = bytes([content[place] ^ chance.randrange(1, 256)])
            made.append(("flipped", content[:place] + flipped + content[place + 1 :]))
    return [(kind, damage) for kind, damage in made if damage != content]


@pytest.mark.parametrize(("file", "reader"), READERS, ids=[str(file) for file, _ in READERS])
def test_a_damaged_file_is_refused_by_name_or_gives_what_was_written(
    whole: Project, file: Path, reader: Callable[[Path], Any], record_property: Callable[[str, Any], None]
) -> None:
    path = whole.folder / file
    content, right = path.read_bytes(), plain(reader(path))
    chance, refused, harmless = random.Random(str(file)), 0, 0
    try:
        for kind, damage in damages(content, chance):
            path.write_bytes(damage)
            try:
                found = plain(reader(path))
            except InputError as error:
                assert path.name in str(error) or path.parent.name in str(error), (kind, str(error))
                assert "\n" not in str(error), (kind, str(error))
                refused += 1
                continue
            ignored = file.name == "unfinished.safetensors" and found is None  # a checkpoint: training starts again
            assert ignored or found == right, f"{file}: {kind}"
            refused, harmless = refused + ignored, harmless + (not ignored)
    finally:
        path.write_bytes(content)
    assert refused > harmless
    record_property(f"damaged {file.name}, refused", refused)
    record_property(f"damaged {file.name}, without effect", harmless)


def test_every_file_that_is_computed_from_is_damaged_here(whole: Project) -> None:
    """What is not: logs and times, what is only looked at, lists of files, and what other programs keep."""
    tested = {file.name for file, _ in READERS} | {"perplexity_by_order.svg"}
    looked_at = {"sample.txt", "report.html", "tracking.json", "model.arpa.gz", "training_time.json"}
    looked_at |= {"provenance.json", "changes.diff"}
    files = [path for path in (whole.folder / "results").rglob("*") if path.is_file() and path.name[0] != "."]
    files = [path for path in files if "mlflow-artifacts" not in path.parts and "counts" not in path.parts]
    left = {path.name for path in files if path.suffix not in (".log", ".tsv", ".svg", ".db")} - tested - looked_at
    assert left == set()


def test_snakemake_names_a_damaged_file_and_makes_it_again_when_it_is_gone(
    smoke: Project, finished: Project, record_property: Callable[[str, Any], None]
) -> None:
    file, target = PREPARED / "ids.npy", NGRAM / "metrics.json"
    path = finished.folder / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    (finished.folder / target).unlink()
    done = finished.snakemake(*SMOKE, "--", str(target))
    assert done.returncode != 0
    sentences = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert sentences and file.name in sentences[0] and "delete it and run the workflow again" in sentences[0]
    assert "Traceback" not in done.stdout
    path.unlink()
    done = finished.snakemake(*SMOKE, "--", str(target))
    assert done.returncode == 0, done.stdout
    made, expected = finished.bits(), smoke.bits()
    name = target.relative_to("results").as_posix()
    assert made[name] == expected[name]
    record_property(f"damaged {file.name} in a run of Snakemake", 1)

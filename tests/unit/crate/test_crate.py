"""Crates: what they contain, and that no change to one stays unnoticed."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from programs import COMMANDS, CRATE, RUNS, make_experiment, run

from seqlab.cli.main import main
from seqlab.crate.checks import check_crate
from seqlab.crate.metadata import compose_metadata
from seqlab.io.errors import InputError

METADATA = "ro-crate-metadata.json"
METRICS = "results/exp/toy/char/ngram/mkn-2/metrics.json"
VERDICTS = "results/exp/toy/char/verdicts.csv"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working folder with a small finished experiment and its crate, exp/crate.zip."""
    before, work = Path.cwd(), tmp_path_factory.mktemp("work")
    os.chdir(work)
    make_experiment()
    yield work
    os.chdir(before)


@pytest.fixture
def unpacked(work: Path, tmp_path: Path) -> Path:
    """A folder with the files of the crate."""
    with zipfile.ZipFile(work / "exp/crate.zip") as archive:
        archive.extractall(tmp_path / "crate")
    return tmp_path / "crate"


def read_metadata(folder: Path) -> dict[str, Any]:
    """The entities of the crate by id."""
    graph = json.loads((folder / METADATA).read_text())["@graph"]
    return {entity["@id"]: entity for entity in graph}


def forge(folder: Path, name: str, content: bytes) -> None:
    """Replace a file, and its size and checksum in the metadata."""
    (folder / name).write_bytes(content)
    metadata = json.loads((folder / METADATA).read_text())
    (entity,) = [entity for entity in metadata["@graph"] if entity["@id"] == name]
    entity |= {"contentSize": str(len(content)), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / METADATA).write_text(json.dumps(metadata))


def test_a_crate_passes_packed_and_unpacked(work: Path, unpacked: Path) -> None:
    outcome = check_crate(work / "exp/crate.zip")
    assert (outcome.experiment, outcome.runs) == ("exp", len(RUNS))
    assert check_crate(unpacked) == outcome


def test_the_same_results_give_the_same_bytes(work: Path) -> None:
    before = (work / "exp/crate.zip").read_bytes()
    for file in work.rglob("*"):
        os.utime(file, (1, 1))
    assert run("publish", COMMANDS["publish"]) == (0, "")
    assert (work / "exp/crate.zip").read_bytes() == before


def test_sizes_and_checksums_are_those_of_the_files(unpacked: Path) -> None:
    files = {name: entity for name, entity in read_metadata(unpacked).items() if "File" in entity["@type"]}
    present = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert set(files) == present - {METADATA}
    for name, entity in files.items():
        content = (unpacked / name).read_bytes()
        assert (entity["contentSize"], entity["sha256"]) == (str(len(content)), hashlib.sha256(content).hexdigest())


def test_texts_and_models_with_passages_of_them_stay_out_and_are_named(work: Path, unpacked: Path) -> None:
    with (unpacked / "left_out.csv").open(newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    expected = {"results/clean.txt", "results/ids.npy", "results/series/series.csv"}
    assert expected | {"results/exp/toy/char/ngram/mkn-2/model.npz"} <= set(rows)
    for name, row in rows.items():
        content = (work / name.removeprefix("results/")).read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest() and int(row["size"]) == len(content)
        assert not (unpacked / name).exists()
    text = (work / "clean.txt").read_bytes()[:200]
    assert [path.name for path in unpacked.rglob("*") if path.is_file() and text in path.read_bytes()] == []


def test_no_file_holds_a_path_of_this_machine(work: Path, unpacked: Path) -> None:
    paths = [path for path in unpacked.rglob("*") if path.is_file()]
    assert [path for path in paths if str(work).encode() in path.read_bytes()] == []


def test_settings_are_parameters_with_values(unpacked: Path) -> None:
    entities = read_metadata(unpacked)
    value = entities["#value-rnn.training.batch_size"]
    assert entities[value["exampleOfWork"]["@id"]]["additionalType"] == "Integer"
    settings = yaml.safe_load((unpacked / "configuration.yaml").read_text())
    assert value["value"] == str(settings["rnn"]["training"]["batch_size"])
    assert entities["#run"]["instrument"] == {"@id": "code/Snakefile"}
    assert entities["#run"]["agent"] == entities["./"]["author"] == {"@id": "https://orcid.org/0000-0001-2345-6789"}
    assert entities["./"]["datePublished"] == CRATE["date"]


def test_names_of_files_are_percent_encoded_once() -> None:
    files = dict.fromkeys(["code/Snakefile", "configuration.yaml", "README.md", "results/текст~1.csv"], (1, "0" * 64))
    provenance = {"versions": {"snakemake": "9"}, "commit": "unknown", "processor": "x", "system": "Linux"}
    metadata = compose_metadata("Title", CRATE, CRATE["date"], {"a": {"б": 1}}, provenance, files, {}, [])
    names = {entity["@id"] for entity in metadata["@graph"] if "File" in entity["@type"]}
    assert names == {quote(name, safe="/~") for name in files}


@pytest.mark.parametrize("name", [METRICS, VERDICTS, "code/Snakefile", "results/exp/changes.diff", "README.md"])
def test_a_changed_missing_or_added_file_is_named(unpacked: Path, name: str) -> None:
    content = (unpacked / name).read_bytes()
    (unpacked / name).write_bytes(content + b" ")
    with pytest.raises(InputError, match=f"the file '{name}' differs from the published one; fetch the crate again"):
        check_crate(unpacked)
    (unpacked / name).unlink()
    with pytest.raises(InputError, match=f"lacks the file '{name}'; fetch the crate again"):
        check_crate(unpacked)
    (unpacked / name).write_bytes(content)
    (unpacked / "more.txt").write_text("")
    with pytest.raises(InputError, match=r"has the file 'more\.txt', which its metadata lacks"):
        check_crate(unpacked)


def test_a_better_perplexity_with_matching_checksums_is_named(unpacked: Path) -> None:
    metrics = json.loads((unpacked / METRICS).read_text())
    row = metrics["scores"][1]
    row["bits_per_symbol"] -= 0.01
    row["perplexity"] = 2 ** row["bits_per_symbol"]
    forge(unpacked, METRICS, json.dumps(metrics).encode())
    with pytest.raises(InputError, match=f"{METRICS}: bits_per_symbol of test, seed None is .* the crate is not what"):
        check_crate(unpacked)


@pytest.mark.parametrize("table", ["toy/char/summary.csv", "toy/char/verdicts.csv", "wave/series/models.csv"])
def test_a_changed_table_with_matching_checksums_is_named(unpacked: Path, table: str) -> None:
    name = f"results/exp/{table}"
    head, *rows = list(csv.reader((unpacked / name).read_text().splitlines()))
    column = {"summary.csv": "perplexity", "verdicts.csv": "difference", "models.csv": "rmse"}[Path(table).name]
    place = head.index(column)
    rows[0][place] = str(float(rows[0][place]) + 0.5)
    forge(unpacked, name, "".join(",".join(row) + "\n" for row in [head, *rows]).encode())
    with pytest.raises(InputError, match=f"{name}: {column} .* the crate is not what was computed"):
        check_crate(unpacked)


def test_files_that_do_not_fit_together_end_with_a_sentence(unpacked: Path) -> None:
    splits = json.loads((unpacked / "results/splits.json").read_text())
    splits["splits"]["test"]["scored"] += 1
    forge(unpacked, "results/splits.json", json.dumps(splits).encode())
    with pytest.raises(InputError, match=r"contradicts itself .* ask its authors for another"):
        check_crate(unpacked)


def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../evil", "")
    with pytest.raises(InputError, match=r"has a file named '../evil', which leads out of it; do not use it"):
        check_crate(tmp_path / "evil.zip")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "crate.zip does not exist; `snakemake publish` writes"), (b"text", "crate.zip is no crate (")],
)
def test_the_command_ends_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "crate.zip").write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["seqlab", "check-crate", str(tmp_path / "crate.zip")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert sentence in str(ended.value.code)


def find_program(name: str) -> str:
    """The path of a validator in the folder of .ci/run, or beside this interpreter; skips where it is missing."""
    folders = [Path(sys.prefix, "validators", "bin"), Path(sys.executable).parent]
    path = shutil.which(name, path=os.pathsep.join(map(str, folders)))
    return path or pytest.skip(f"{name} is not installed")


def test_the_validator_of_ro_crates_finds_no_error(work: Path) -> None:
    program = [find_program("rocrate-validator"), "--no-interactive", "--disable-color", "validate", "--no-paging"]
    options = ["--profile-identifier", "workflow-run-crate-0.5", "--requirement-severity", "required"]
    done = subprocess.run(
        [*program, *options, "--verbose", "exp/crate.zip"], cwd=work, capture_output=True, text=True, check=False
    )
    if "URLError" in done.stdout + done.stderr:
        pytest.skip("the validator reads the context of RO-Crate from w3id.org, which can't be reached")
    assert done.returncode == 0, done.stdout


def test_croissant_files_are_valid(unpacked: Path) -> None:
    program = find_program("mlcroissant")
    for path in sorted((unpacked / "corpora").iterdir()):
        done = subprocess.run([program, "validate", "--jsonld", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "error" not in done.stderr, (path, done.stderr)


def test_croissant_files_have_the_digests_of_the_cards(unpacked: Path) -> None:
    card = yaml.safe_load((unpacked / "results/exp/wave/series/forecast/persistence/card.yaml").read_text())
    (file,) = json.loads((unpacked / "corpora/wave.json").read_text())["distribution"]
    assert (file["@id"], file["sha256"]) == ("series.csv", card["data"]["table"])


def test_the_hub_reads_the_scores_of_a_model_card(unpacked: Path) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    (path,) = unpacked.glob("models/*-rnn/README.md")
    card = huggingface_hub.ModelCard(path.read_text())
    assert card.data.license == "mit" and card.data.pipeline_tag == "text-generation"
    metrics = json.loads((unpacked / "results/exp/toy/char/rnn/rnn-1x2/metrics.json").read_text())
    (test,) = [row for row in metrics["scores"] if row["split"] == "test"]
    scores = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert scores == {name: test[name] for name in ("perplexity", "bits_per_char", "bits_per_symbol")}

"""Packing of a finished experiment as a crate: one zip archive that is the same for the same results."""

import csv
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from seqlab.crate.checks import check_crate
from seqlab.crate.contents import (
    CODE_FOLDER,
    METADATA_FILE,
    RESULTS_FOLDER,
    LeftOut,
    list_left_out,
    list_project_files,
    list_results,
    locate_run,
)
from seqlab.crate.croissant import compose_croissant
from seqlab.crate.metadata import CONFIGURATION_FILE, README_FILE, compose_metadata
from seqlab.crate.model_card import compose_model_card
from seqlab.io.errors import InputError
from seqlab.io.files import read_digest, read_json, replacing
from seqlab.io.provenance import sha256_of
from seqlab.io.runs import SERIES, SPLIT_NAMES, Experiment, Place
from seqlab.io.schemas import check, read_schema
from seqlab.tracking.champions.registry import find_champions

ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # of every file: the first that a zip archive can hold
FILE_MODE = 0o100644 << 16  # of every file: readable by everybody
LEFT_OUT_FILE = "left_out.csv"
DESCRIPTIONS = {
    README_FILE: "How to check the crate",
    CONFIGURATION_FILE: "All settings of the experiment",
    LEFT_OUT_FILE: "Files of the results that are not in the crate, with sizes and SHA-256",
}


def pack_crate(
    experiment: Experiment,
    configuration: dict[str, Any],
    definitions: Mapping[str, dict[str, Any]],
    project: Path,
    output: Path,
) -> None:
    """Write the crate of a finished `experiment`, with the code in the folder `project`, to the zip archive `output`.

    `configuration` holds all settings, `definitions` the blocks of its corpora and series. The same files give the same
    bytes. The finished archive is checked by `check_crate` before it replaces `output`. Raise InputError where the
    experiment is not finished, a file is damaged or has changed, or the date is unknown.
    """
    settings = configuration["crate"]
    check(settings, read_schema("config")["properties"]["crate"], "crate:")
    results = list_results(experiment)
    provenance = read_json(Path(experiment.folder) / "provenance.json", "provenance")
    date = settings["date"] or provenance["date"]
    if not date:
        raise InputError(
            "crate.date is not set, and the working folder is not a repository of git, whose commit has a date; set it "
            'in the configuration, as in crate: {date: "2026-01-31"}'
        )
    title = settings["title"] or f"seqlab experiment {experiment.name}"
    croissants = _describe_corpora(experiment, definitions, date)
    left_out = list_left_out(experiment)
    contents: dict[str, Path | bytes] = {
        CONFIGURATION_FILE: _as_yaml(configuration),
        LEFT_OUT_FILE: _as_csv(left_out),
        README_FILE: _compose_readme(title, experiment, left_out).encode(),
        **{f"{CODE_FOLDER}/{name}": project / name for name in list_project_files(project)},
        **results,
        **{f"corpora/{corpus}.json": _as_json(content) for corpus, content in croissants.items()},
        **_compose_model_cards(experiment, definitions, settings["licence"]),
    }
    files = {name: _measure(contents[name]) for name in sorted(contents)}
    texts = [
        {"name": f"{corpus}/{file['name']}", "address": file["contentUrl"], "sha256": file["sha256"]}
        for corpus, content in croissants.items()
        for file in content["distribution"]
    ]
    metadata = compose_metadata(title, settings, date, configuration, provenance, files, DESCRIPTIONS, texts)
    description = _as_json(metadata)
    with replacing(output) as temporary:
        with zipfile.ZipFile(temporary, "w") as archive:
            _add_file(archive, METADATA_FILE, len(description), description)
            for name, (size, _) in files.items():
                _add_file(archive, name, size, contents[name])
        check_crate(temporary)


def _describe_corpora(
    experiment: Experiment, definitions: Mapping[str, dict[str, Any]], date: str
) -> dict[str, dict[str, Any]]:
    """Return the Croissant metadata of every corpus and series; InputError where its definition is missing."""
    croissants = {}
    for place, prepared in experiment.prepared.items():
        if "title" not in definitions.get(place.corpus, {}):
            raise InputError(f"the definitions lack the corpus {place.corpus}; pass those that the workflow passes")
        definition = definitions[place.corpus]
        digests = _list_digests(place, prepared, definition)
        croissants[place.corpus] = compose_croissant(place.corpus, definition, digests, date)
    return croissants


def _compose_model_cards(
    experiment: Experiment, definitions: Mapping[str, dict[str, Any]], licence: str
) -> dict[str, bytes]:
    """Return the model card of every champion by name in the crate."""
    cards = {}
    for champion in find_champions(experiment):
        folder, definition = locate_run(experiment, champion.run), definitions[champion.run.corpus]
        card = compose_model_card(champion, folder, definition, licence)
        cards[f"models/{champion.name}/README.md"] = card.encode()
    return cards


def _list_digests(place: Place, prepared: str, definition: dict[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of the files that a corpus or series is read from, as far as they are published; else that of
    the text that models read.
    """
    if place.unit == SERIES:
        return {"series.csv": read_digest(Path(prepared) / "series.csv")}
    parts = definition.get("files", {})
    if definition["kind"] == "url":
        return {"raw.txt": definition["sha256"]}
    if parts and all(isinstance(part, dict) for part in parts.values()):
        return {f"{split}.txt": parts[split]["sha256"] for split in SPLIT_NAMES}
    return {"clean.txt": read_digest(Path(prepared).parent / "clean.txt")}


def _compose_readme(title: str, experiment: Experiment, left_out: list[LeftOut]) -> str:
    """Return the page of the crate: its contents, and how they are checked and made again."""
    size = sum(file.size for file in left_out)
    folder = f"{RESULTS_FOLDER}/{experiment.name}"
    contents = {
        METADATA_FILE: "every file with size and SHA-256, the settings, versions and authors",
        f"{folder}/report.html": "the report",
        f"{folder}/": f"{len(experiment.runs)} runs: bits of every symbol, metrics, tables, figures, weights",
        f"{folder}/provenance.json": "commit, machine and versions",
        f"{folder}/changes.diff": "uncommitted changes; empty if there were none",
        CONFIGURATION_FILE: "all settings",
        f"{CODE_FOLDER}/": "workflow, library and the versions of all packages",
        "corpora/": "texts and series in Croissant: addresses and SHA-256, without the content",
        "models/": "a card for the best model of each family",
        LEFT_OUT_FILE: f"{len(left_out)} files that are not here ({size:,} bytes), with their SHA-256",
    }
    rows = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in contents.items())
    return f"""# {title}
A research object (RO-Crate, profile Workflow Run Crate 0.5) that `snakemake publish` of seqlab wrote.

| file | content |
|---|---|
{rows}
Check all files and figures, which trains nothing:

    seqlab check-crate crate.zip

Run the experiment again, in the folder `{CODE_FOLDER}`:

    make setup
    .venv/bin/{experiment.command}
"""


def _as_json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _as_yaml(content: dict[str, Any]) -> bytes:
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return text.encode()


def _as_csv(rows: list[LeftOut]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([LeftOut._fields, *rows])
    return text.getvalue().encode()


def _measure(content: Path | bytes) -> tuple[int, str]:
    """Return size and SHA-256 of a file or of its content."""
    if isinstance(content, bytes):
        return len(content), hashlib.sha256(content).hexdigest()
    return content.stat().st_size, sha256_of(content)


def _add_file(archive: zipfile.ZipFile, name: str, size: int, content: Path | bytes) -> None:
    entry = zipfile.ZipInfo(name, ZIP_DATE)
    entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, FILE_MODE, 3  # 3: Unix
    entry.file_size = size
    with archive.open(entry, "w") as target:
        if isinstance(content, bytes):
            target.write(content)
        else:
            with content.open("rb") as source:
                shutil.copyfileobj(source, target)

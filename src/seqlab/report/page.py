"""The report: one self-contained HTML file."""

import base64
import csv
import math
import os
import re
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from seqlab.fleet.fit import UNDERFITTED_COLUMN
from seqlab.io.errors import InputError
from seqlab.io.files import damaged, read_json, verified, write_text
from seqlab.io.runs import SERIES, Experiment, Place, Run
from seqlab.io.tables import read_rows
from seqlab.ledger.selection import rank_candidates
from seqlab.questions.protocols import ProtocolRow
from seqlab.questions.verdicts import Verdict, find_leader, find_verdict, read_verdicts
from seqlab.report import answer
from seqlab.report.audit import read_audit
from seqlab.report.axes import SHARE_DEFINITION, describe_effects, estimate_effects, format_effects
from seqlab.report.contents import (
    FAMILIES_WITHOUT_SAMPLE,
    GAPS_TABLE,
    PUBLISHED_TABLE,
    figure_file,
    list_figures,
    source_file,
)
from seqlab.report.explained import colour_places
from seqlab.report.forecast import compose_forecast_section
from seqlab.report.gaps import read_answers
from seqlab.report.intervals import IntervalScale
from seqlab.report.points import inline_figure
from seqlab.report.published import count_verdicts, read_published
from seqlab.report.style import format_number
from seqlab.report.tables import ANSWER_COLUMN, BUDGET_COLUMNS, find_best_model, read_text_models

MAX_SAMPLE_CHARACTERS = 4000
PROTOCOL_FORMATS = {"perplexity": format_number, "gap": "{:+.4f}".format, "symbols": "{:,}".format}
REFERENCE_FAMILIES = ("compressor", "source")  # known costs, which stand below the models
LONG_WORD_CHARACTERS = 50  # a text with longer words on average has no words


def write_report(experiment: Experiment, provenance: Mapping[str, str], output: str | Path) -> None:
    """Write `output`, a self-contained HTML page about the texts and series of an experiment.

    Read the files that `contents.list_report_files` lists. models.csv and series.json must exist (FileNotFoundError);
    the page lists other missing files. `provenance` is printed unchanged. Raise InputError where the experiment has no
    runs.
    """
    if not experiment.runs:
        raise InputError(f"{experiment.folder}/runs.json lists no runs; add a model to the configuration")
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        autoescape=True, loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    runs: dict[Place, list[Run]] = {place: [] for place in experiment.prepared}
    for run in experiment.runs:
        if run.place not in runs:
            raise damaged(f"{experiment.folder}/runs.json", f"it has no prepared {run.corpus} by {run.unit}")
        runs[run.place].append(run)
    texts, series = [], []
    for place, prepared in experiment.prepared.items():
        missing: list[str] = []
        shared: dict[str, Any] = {
            "key": make_anchor(place),
            "source": _source(source_file(place, prepared)),
            "missing": missing,
        }
        shared["figures"] = _figures(place, missing, experiment.answers)
        if place.unit == SERIES:
            series.append(shared | compose_forecast_section(place, runs[place], prepared))
        else:
            section = shared | _text_section(place, runs[place], missing, Path(output).parent)
            section["audit"] = audit = read_audit(experiment, place)
            section["answer"] += [audit.sentence] if audit and audit.is_broken else []
            section["answers"] = read_answers(place.file(GAPS_TABLE)) if place in experiment.answers else []
            texts.append(section | _published_values(Path(place.file(PUBLISHED_TABLE)), experiment, section["answer"]))
    page = environment.get_template("page.html").render(
        experiment=experiment,
        sections=texts,
        forecasts=series,
        corpora=_corpora(texts),
        errata=_errata(),
        provenance=provenance,
    )
    write_text(output, page + "\n", checksum=False)


def make_anchor(place: Place) -> str:
    """Return the id of the section of a place; characters other than ASCII letters, digits, _ and - become codes."""
    name = f"{place.corpus}-{place.unit}"
    return re.sub(r"[^A-Za-z0-9_-]", lambda match: f".{ord(match[0]):x}.", name)


def _errata() -> list[dict[str, str]]:
    """Return the errata of the course module, as in docs/errata.md."""
    with Path(__file__).with_name("errata.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _source(path: str) -> dict[str, Any]:
    """Return title and origin of a prepared corpus; empty where they are unknown."""
    content = read_json(path) if Path(path).is_file() else {}
    return {name: content.get(name) or "" for name in ("title", "source")}


def _figures(place: Place, missing: list[str], answers: Container[Place]) -> list[dict[str, Any]]:
    """Return the figures of a place as parts of the page, or as images where a file has more than a drawing, since a
    browser runs no scripts and loads no files in an image; sentences about missing figures are added to `missing`.
    """
    figures = []
    for name, entry in list_figures(place, answers).items():
        path = Path(figure_file(place, name))
        if path.is_file():
            label = f"{entry.title} of {_name(place)}: {entry.caption}"
            svg = verified(path).read_bytes()
            figure: dict[str, Any] = {"title": entry.title, "caption": entry.caption, "label": label}
            figure["drawing"] = inline_figure(svg, f"{make_anchor(place)}.{name}", label)
            figure["address"] = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
            figures.append(figure)
        else:
            missing.append(f"The figure {name}.svg is missing.")
    return figures


def _name(place: Place) -> str:
    return place.corpus if place.unit == SERIES else f"{place.corpus}, {place.unit}"


def _corpora(sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a comparison of the units of each text, without rows for a single unit."""
    tables: dict[str, dict[str, pd.DataFrame]] = {}
    for section in sections:
        tables.setdefault(section["corpus"], {})[section["unit"]] = section["models"]
    return [
        {"corpus": corpus, "units": answer.compare_units(by_unit) if len(by_unit) > 1 else []}
        for corpus, by_unit in tables.items()
    ]


def _published_values(path: Path, experiment: Experiment, answer: list[str]) -> dict[str, Any]:
    """Return the rows of published.csv, none where the experiment has no published table, and `answer` with a sentence
    about them.
    """
    rows = read_published(path) if experiment.published and path.is_file() else []
    sentence = f"{len(rows)} printed values of {experiment.published}: {count_verdicts(rows)}."
    return {"published": rows, "answer": [*answer, sentence] if rows else answer}


def _text_section(place: Place, runs: list[Run], missing: list[str], folder: Path) -> dict[str, Any]:
    """Return the section about one text by one unit of a page in `folder`; sentences about missing files are added to
    `missing`.
    """
    models = read_text_models(place.file("models.csv"))
    sections = []
    verdicts = _verdicts(Path(place.file("verdicts.csv")), missing)
    against = find_leader(verdicts)
    scale = IntervalScale([verdict for verdict in verdicts if verdict.against == against])
    best = {str(find_best_model(models[models["family"] == family])) for family in answer.FAMILY_TITLES}
    bits = _bits(models)
    by_run = {(run.family, run.model): run for run in runs}
    for name, rows in models.groupby(["family", "model"], sort=False):
        if name not in by_run:
            label = "/".join(map(str, name))
            raise damaged(place.file("models.csv"), f"it has {label}, which the experiment lacks")
        run = by_run.pop(name)
        is_best = run.family in answer.FAMILY_TITLES and run.model in best
        verdict = find_verdict(verdicts, run.model)
        section = _run(run, rows, models, bits, missing)
        names = [
            name for name, key in {"card.yaml": "card", "sample.txt": "sample"}.items() if section[key] is not None
        ]
        names += ["metrics.json", "scores.npz"] + ["history.csv"] * (run.family == "rnn")
        section |= {"best": is_best, "verdict": verdict, "drawing": scale.draw(verdict) if verdict else ""}
        sections.append(section | {"files": _link_files(run, names, folder)})
    missing += [f"{run.model} is not in models.csv." for run in by_run.values()]
    for family, name in answer.TRAINED_FAMILIES.items():
        if family not in models["family"].unique():
            missing.insert(0, f"No {name} was trained.")
    sections = rank_candidates(sections, lambda section: (section["standing"], section["model"]))
    effects = estimate_effects(models)
    rate = next((run["entropy_rate"] for run in sections if run["entropy_rate"]), None)
    answer_rates = next((run["answer_rates"] for run in sections if run["answer_rates"]), None)
    return {
        "corpus": place.corpus,
        "unit": place.unit,
        "runs": sections,
        "notes": [f"{run['model']}: {note}" for run in sections for note in run["notes"]],
        "competing": [run for run in sections if run["family"] not in REFERENCE_FAMILIES],
        "references": [run for run in sections if run["family"] in REFERENCE_FAMILIES],
        "summary": answer.compose_summary(models, verdicts),
        "effects": format_effects(effects) if effects else [],
        "mattered": describe_effects(effects) if effects else [],
        "share_definition": SHARE_DEFINITION,
        "models": models,
        "protocols": _protocols(Path(place.file("protocols.csv"))),
        "contrast": _contrast(Path(place.file("contrast.json"))),
        "findings": _findings(Path(place.file("check.json"))),
        "answer": answer.compose_answer(models, verdicts, rate) + answer.describe_answers(models, answer_rates),
        "against": against,
        "closed": answer.describe_vocabulary(models, place.unit),
        "bits": list(bits),
        "symbols": _symbols(models),
    }


def _run(
    run: Run, rows: pd.DataFrame, models: pd.DataFrame, bits: dict[str, str], missing: list[str]
) -> dict[str, Any]:
    """Return the row and texts of one model, with the columns of `bits`; missing files are added to `missing`."""
    model = run.model
    splits = {str(row["split"]): row for row in rows.to_dict("records")}
    test, valid = splits.get("test"), splits.get("valid")
    if test is None or valid is None:
        raise damaged(run.place.file("models.csv"), f"it lacks a split of {model}")
    path = Path(run.file("metrics.json"))
    metrics = read_json(path) if path.is_file() else {}
    if not metrics:
        missing.append(f"The metrics and notes of {model} are missing.")
    card, sample = _text(run.file("card.yaml")), None
    if card is None:
        missing.append(f"The card of {model} is missing.")
    if run.family not in FAMILIES_WITHOUT_SAMPLE:
        sample = _text(run.file("sample.txt"))
        if sample is None:
            missing.append(f"A sample of {model} is missing.")
        elif len(sample) > MAX_SAMPLE_CHARACTERS:
            sample = sample[:MAX_SAMPLE_CHARACTERS] + " …"
    if test["seeds"] == 1:
        missing.append(f"{model} was trained from one seed, so its figures have no standard deviation.")
    return {
        "family": run.family,
        "model": model,
        "card": card,
        "sample": sample,
        "notes": metrics.get("notes", []),
        "entropy_rate": metrics.get("entropy_rate"),
        "answer_rates": metrics.get("answers"),
        "parameters": f"{test['parameters']:,}" if test["parameters"] else "–",
        "test": answer.format_figure(test, "perplexity"),
        "interval": answer.format_interval(test),
        "valid": answer.format_figure(valid, "perplexity"),
        "standing": valid["perplexity"],
        "bits": ["–" if math.isnan(test[name]) else format_number(test[name]) for name in bits.values()],
        "seeds": test["seeds"] or "–",
        "seconds": _seconds(test["train_seconds"]),
        "unknown": answer.format_share(test["unknown"], test["symbols"]),
        "pruned": _pruned(test, models),
        "underfitted": test[UNDERFITTED_COLUMN],
        "within": [_within(run, test[column], models) for column in BUDGET_COLUMNS.values()],
    }


def _link_files(run: Run, names: Sequence[str], folder: Path) -> list[dict[str, str]]:
    """Return names and addresses of files of a run, relative to the `folder` of the page."""
    addresses = [Path(os.path.relpath(run.file(name), folder)).as_posix() for name in names]
    return [{"name": name, "address": quote(address)} for name, address in zip(names, addresses, strict=True)]


def _bits(models: pd.DataFrame) -> dict[str, str]:
    """Return heads and columns of the figures in bits that differ for this text, in table order."""
    test = models[(models["split"] == "test") & np.isfinite(models["bits_per_char"].astype(float))]
    columns = {"bits per symbol": "bits_per_symbol", "bits per character": "bits_per_char"}
    if models["unknown"].any():
        columns["bits per character, unknown symbols spelt out"] = "open_bits_per_char"
    if not np.allclose(test["bits_per_byte"], test["bits_per_char"]):
        columns["bits per byte"] = "bits_per_byte"
    if (test["bits_per_word"] < LONG_WORD_CHARACTERS * test["bits_per_char"]).any():
        columns["bits per word"] = "bits_per_word"
    if models[ANSWER_COLUMN].notna().any():
        columns["bits per answer"] = ANSWER_COLUMN
    return columns


def _findings(path: Path) -> list[str]:
    """Return the sentences of check.json; empty for older results without this file."""
    return [finding["sentence"] for finding in read_json(path)["findings"]] if path.is_file() else []


def _contrast(path: Path) -> dict[str, Any] | None:
    """Return the text where n-gram and network differ most; None unless both exist."""
    content = read_json(path) if path.is_file() else {"places": []}
    return content | {"places": colour_places(content["places"], content["unit"])} if content["places"] else None


def _protocols(path: Path) -> list[dict[str, Any]]:
    """Return the rows of the table of protocols; empty without protocols.csv."""
    table = read_rows(path, ProtocolRow) if path.is_file() else pd.DataFrame()
    return [
        row | {name: form(row[name]) for name, form in PROTOCOL_FORMATS.items()} for row in table.to_dict("records")
    ]


def _verdicts(path: Path, missing: list[str]) -> list[Verdict]:
    """Return the verdicts; empty without verdicts.csv."""
    if path.is_file():
        return read_verdicts(path)
    missing.append("The models have not been compared: verdicts.csv is missing.")
    return []


def _symbols(models: pd.DataFrame) -> dict[str, str]:
    return {split: f"{rows['symbols'].iloc[0]:,}" for split, rows in models.groupby("split")}


def _seconds(seconds: float) -> str:
    return "–" if math.isnan(seconds) else f"{seconds:,.1f}" if seconds < 100 else f"{seconds:,.0f}"


def _pruned(row: dict[str, Any], models: pd.DataFrame) -> str:
    """Return the loss of a pruned model and its share of the n-grams, as text."""
    if not row["pruned_from"] or math.isnan(row["pruning_loss"]):
        return ""
    whole = models.loc[models["model"] == row["pruned_from"], "parameters"].iloc[0]
    return f"{row['pruning_loss']:+.4f} ({answer.format_share(row['parameters'], whole)} kept)"


def _within(run: Run, best: str, models: pd.DataFrame) -> str:
    """Return the `best` model within a cost of `run` with its test perplexity, as text."""
    if best in ("", run.model):
        return "this model" if best else "–"
    rows = models[(models["model"] == best) & (models["split"] == "test")]
    if rows.empty:
        raise damaged(run.place.file("models.csv"), f"it lacks {best}, which it names as a best model")
    return f"{best}, {format_number(rows['perplexity'].iloc[0])}"


def _text(path: str | Path) -> str | None:
    path = Path(path)
    return verified(path).read_text(encoding="utf-8", errors="replace") if path.is_file() else None

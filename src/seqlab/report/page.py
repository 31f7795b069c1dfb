"""The report: one HTML file that needs nothing but itself."""

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from seqlab.errors import InputError, shown
from seqlab.files import read_json, verified, write_text
from seqlab.ledger.verdicts import COLUMNS, read_verdicts
from seqlab.report.answer import CHOSEN, TRAINED, across_units, answer, behind, closed, figure, interval, leader, share
from seqlab.report.contents import FIGURES
from seqlab.report.explained import coloured
from seqlab.report.forecast import forecast_section
from seqlab.report.style import number
from seqlab.report.tables import best_on_valid, read_models

# what makes a browser do more than draw: programs, events, and whatever comes from elsewhere
ACTIVE = re.compile(
    r"<\s*(script|foreignobject|iframe|object|embed|set|animate)|\son\w+\s*=|javascript:"
    r'|href\s*=(?!"(#|data:image/png))|url\((?!#)',
    re.IGNORECASE,
)
SAMPLE_CHARACTERS = 4000
LONG_WORD = 50  # characters; a text whose words are longer on average has none


def write_report(
    results: Path,
    experiments: list[tuple[str, str]],
    provenance: dict[str, str],
    output: Path,
    series: Sequence[str] = (),
) -> None:
    """Write `output`, a self-contained HTML page about `experiments`, each a (corpus, unit) under `results`, and about
    the `series` that were forecast.

    Reads models.csv, figures/*.svg and the metrics, sample and card of every model. models.csv must be there
    (FileNotFoundError); whatever else is not there is named in the page. `provenance` is printed as it is.
    """
    if not experiments and not series:
        raise InputError("there is no experiment to report on; name at least one as corpus/unit, or a series")
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(autoescape=True, loader=loader, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    sections = [_experiment(Path(results), corpus, unit) for corpus, unit in experiments]
    forecasts = [forecast_section(Path(results), name, inline_svg) for name in series]
    corpora = [_corpus(Path(results), name, experiments) for name in dict.fromkeys(corpus for corpus, _ in experiments)]
    page = environment.get_template("page.html").render(
        sections=sections, forecasts=forecasts, corpora=corpora, errata=_errata(), provenance=provenance
    )
    write_text(output, page + "\n")


def inline_svg(svg: str, prefix: str, name: str) -> Markup:
    """`svg` made fit to stand in a page: ids begin with `prefix`, so that no two figures share one, and `name` is read
    to those who can't see it. InputError where it is not an SVG.
    """
    match = re.search(r"<svg\b([^>]*)>(.*)</svg>", svg, flags=re.DOTALL)
    if not match:
        raise InputError(f"the figure {prefix} is not an SVG; delete it and run the workflow again")
    attributes, body = match.groups()
    body = re.sub(r"<(metadata|style)\b.*?</\1>", "", body, flags=re.DOTALL)  # the page has its own style
    if found := ACTIVE.search(body):
        raise InputError(
            f"the figure {prefix} holds {shown(found[0])}, which is no drawing; delete it and draw it again"
        )
    body = re.sub(r'(\s(?:xlink:)?href="#)', rf"\1{prefix}-", body)
    body = re.sub(r'(\sid=")', rf"\1{prefix}-", body)
    body = re.sub(r"url\(#", f"url(#{prefix}-", body)
    box = re.search(r'viewBox="[^"]*"', attributes)
    width = re.search(r'width="([0-9.]+)pt"', attributes)
    pixels = round(float(width[1]) * 4 / 3) if width else 800
    size = f' style="max-width:{pixels}px;min-width:min({pixels}px, 34rem)"'  # legible on a phone, never blown up
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box[0] if box else ""}'
    return Markup(f'{head}{size} role="img" aria-label="{escape(name)}">{body.strip()}</svg>')


def _errata() -> list[dict[str, str]]:
    """The values that the course module prints wrong, as docs/errata.md has them."""
    with Path(__file__).with_name("errata.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _corpus(results: Path, corpus: str, experiments: list[tuple[str, str]]) -> dict[str, Any]:
    """What the units of one text have to say of each other; no rows where there is one unit."""
    units = [unit for name, unit in experiments if name == corpus]
    tables = {unit: read_models(results / corpus / unit / "models.csv") for unit in units}
    return {"corpus": corpus, "units": across_units(tables) if len(units) > 1 else []}


def _experiment(results: Path, corpus: str, unit: str) -> dict[str, Any]:
    base = results / corpus / unit
    models = read_models(base / "models.csv")
    missing: list[str] = []
    runs = []
    judged = _verdicts(base / "verdicts.csv", missing)
    for (family, model), rows in models.groupby(["family", "model"], sort=False):
        runs.append(_run(base, str(family), str(model), rows, models, missing))
        runs[-1]["behind"] = behind(judged, str(model))
    for family, name in TRAINED.items():
        if family not in models["family"].unique():
            missing.insert(0, f"No {name} was trained here.")
    key = re.sub(r"[^A-Za-z0-9]+", "-", f"{corpus}-{unit}")
    figures = []
    for stem, (title, caption) in FIGURES.items():
        path = base / "figures" / f"{stem}.svg"
        if path.is_file():
            svg = inline_svg(
                verified(path).read_text(encoding="utf-8"), f"{key}-{stem}", f"{title} of {corpus}, {unit}: {caption}"
            )
            figures.append({"title": title, "caption": caption, "svg": svg})
        else:
            missing.append(f"The figure {stem}.svg has not been drawn.")
    rate = next((run["entropy_rate"] for run in runs if run["entropy_rate"]), None)
    return {
        "corpus": corpus, "unit": unit, "key": key, "runs": runs, "figures": figures, "missing": missing,
        "protocols": _protocols(base / "protocols.csv"),
        "contrast": _contrast(base / "contrast.json"),
        "findings": _findings(base / "check.json"), "answer": answer(models, judged, rate), "against": leader(judged),
        "closed": closed(models, unit), "bits": list(_bits(models)), "symbols": _symbols(models),
    }  # fmt: skip


def _run(
    base: Path, family: str, model: str, rows: pd.DataFrame, models: pd.DataFrame, missing: list[str]
) -> dict[str, Any]:
    """What the page says of one model; what is not there is added to `missing`."""
    splits = {str(row["split"]): row for row in rows.to_dict("records")}
    test, valid = splits.get("test"), splits.get("valid")
    if test is None or valid is None:
        raise InputError(f"{base / 'models.csv'} lacks a split of {model}; delete it and run the workflow again")
    folder = base / family / model
    metrics = read_json(folder / "metrics.json") if (folder / "metrics.json").is_file() else {}
    if not metrics:
        missing.append(f"The metrics of {model} are missing, and so are its notes.")
    card, sample = (_text(folder / name) for name in ("card.yaml", "sample.txt"))
    if sample is not None and len(sample) > SAMPLE_CHARACTERS:
        sample = sample[:SAMPLE_CHARACTERS] + " …"
    if card is None:
        missing.append(f"The card of {model} is missing.")
    if sample is None and family not in ("compressor", "mixture"):  # these write nothing
        missing.append(f"A sample of {model} is missing.")
    if test["seeds"] == 1:
        missing.append(f"{model} was trained from one seed, so its figures have no standard deviation.")
    best = family in CHOSEN and model == best_on_valid(models[models["family"] == family])
    return {
        "family": family, "model": model, "best": best, "card": card, "sample": sample,
        "notes": metrics.get("notes", []), "entropy_rate": metrics.get("entropy_rate"),
        "parameters": f"{test['parameters']:,}" if test["parameters"] else "–",
        "test": figure(test, "perplexity"), "interval": interval(test),
        "valid": figure(valid, "perplexity"),
        "bits": [number(test[name]) for name in _bits(models).values()],
        "seeds": test["seeds"] or "–", "seconds": _seconds(test["train_seconds"]),
        "unknown": share(test["unknown"], test["symbols"]), "pruned": _pruned(test, models),
    }  # fmt: skip


def _bits(models: pd.DataFrame) -> dict[str, str]:
    """Heads and columns of the figures in bits that say something of this text, beside each other in the table."""
    test = models[(models["split"] == "test") & np.isfinite(models["bits_per_char"].astype(float))]
    columns = {"bits per symbol": "bits_per_symbol", "bits per character": "bits_per_char"}
    if models["unknown"].any():
        columns["bits per character, unknown symbols spelt out"] = "open_bits_per_char"
    if not np.allclose(test["bits_per_byte"], test["bits_per_char"]):
        columns["bits per byte"] = "bits_per_byte"
    if (test["bits_per_word"] < LONG_WORD * test["bits_per_char"]).any():
        columns["bits per word"] = "bits_per_word"
    return columns


def _findings(path: Path) -> list[str]:
    """The sentences about the text itself; a result without check.json was made before there was one."""
    return [finding["sentence"] for finding in read_json(path)["findings"]] if path.is_file() else []


def _contrast(path: Path) -> dict[str, Any] | None:
    """The text where n-gram and network differ most; None where there are not both."""
    found = read_json(path) if path.is_file() else {"places": []}
    return found | {"places": coloured(found["places"], found["unit"])} if found["places"] else None


def _protocols(path: Path) -> list[dict[str, Any]]:
    """The rows of the table of protocols, empty where there is none."""
    table = pd.read_csv(verified(path)) if path.is_file() else pd.DataFrame()
    return [
        row | {"perplexity": number(row["perplexity"]), "gap": f"{row['gap']:+.4f}", "symbols": f"{row['symbols']:,}"}
        for row in table.to_dict("records")
    ]


def _verdicts(path: Path, missing: list[str]) -> pd.DataFrame:
    """The verdicts of an experiment, empty where they are not there."""
    if path.is_file():
        return read_verdicts(path)
    missing.append("The models have not been compared: verdicts.csv is missing.")
    return pd.DataFrame(columns=COLUMNS)


def _symbols(models: pd.DataFrame) -> dict[str, str]:
    return {split: f"{rows['symbols'].iloc[0]:,}" for split, rows in models.groupby("split")}


def _seconds(seconds: float) -> str:
    return "–" if math.isnan(seconds) else f"{seconds:,.1f}" if seconds < 100 else f"{seconds:,.0f}"


def _pruned(row: dict[str, Any], models: pd.DataFrame) -> str:
    """What a pruned model lost, and how many of the n-grams it kept."""
    if not row["pruned_from"] or math.isnan(row["pruning_loss"]):
        return ""
    whole = models.loc[models["model"] == row["pruned_from"], "parameters"].iloc[0]
    return f"{row['pruning_loss']:+.4f} ({share(row['parameters'], whole)} kept)"


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None

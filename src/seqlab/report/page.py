"""The report: one HTML file that needs nothing but itself."""

import csv
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from seqlab.io.errors import InputError, shown
from seqlab.io.files import damaged, read_json, verified, write_text
from seqlab.io.runs import SERIES, Experiment, Place, Run
from seqlab.ledger.verdicts import COLUMNS, read_verdicts
from seqlab.report.answer import CHOSEN, TRAINED, across_units, answer, behind, closed, figure, interval, leader, share
from seqlab.report.contents import WITHOUT_SAMPLE, figure_file, figures_of, source_file
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


def write_report(experiment: Experiment, provenance: Mapping[str, str], output: str | Path) -> None:
    """Write `output`, a self-contained HTML page about an experiment: its texts and the series that were forecast.

    Reads the files that `contents.report_files` lists. models.csv and series.json must be there (FileNotFoundError);
    whatever else is not there is named in the page. `provenance` is printed as it is. InputError where the experiment
    has no runs.
    """
    if not experiment.runs:
        raise InputError(
            f"{experiment.folder}/runs.json lists no run to report on; choose a model in the configuration"
        )
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(autoescape=True, loader=loader, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    runs: dict[Place, list[Run]] = {place: [] for place in experiment.prepared}
    for run in experiment.runs:
        if run.place not in runs:
            raise damaged(f"{experiment.folder}/runs.json", f"it has no prepared {run.corpus} by {run.unit}")
        runs[run.place].append(run)
    texts, series = [], []
    for place, prepared in experiment.prepared.items():
        missing: list[str] = []
        shared: dict[str, Any] = {
            "key": anchor(place),
            "source": _source(source_file(place, prepared)),
            "missing": missing,
        }
        shared["figures"] = _figures(place, missing)
        if place.unit == SERIES:
            series.append(shared | forecast_section(place, runs[place], prepared))
        else:
            texts.append(shared | _text_section(place, runs[place], missing))
    page = environment.get_template("page.html").render(
        experiment=experiment, sections=texts, forecasts=series, corpora=_corpora(texts), errata=_errata(),
        provenance=provenance,
    )  # fmt: skip
    write_text(output, page + "\n", checksum=False)


def anchor(place: Place) -> str:
    """The id of the section of a place: letters and digits of ASCII, _ and - as they are, anything else by its code."""
    name = f"{place.corpus}-{place.unit}"
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f".{ord(found[0]):x}.", name)


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


def _source(path: str) -> dict[str, Any]:
    """Which text or series a prepared corpus is: its title, and where it comes from; empty where that is not told."""
    found = read_json(path) if Path(path).is_file() else {}
    return {name: found.get(name) or "" for name in ("title", "source")}


def _figures(place: Place, missing: list[str]) -> list[dict[str, Any]]:
    """The figures of a place that have been drawn; those that have not are named in `missing`."""
    found = []
    for name, entry in figures_of(place).items():
        path = Path(figure_file(place, name))
        if path.is_file():
            label = f"{entry.title} of {_name(place)}: {entry.caption}"
            svg = inline_svg(verified(path).read_text(encoding="utf-8"), f"{anchor(place)}-{name}", label)
            found.append({"title": entry.title, "caption": entry.caption, "svg": svg})
        else:
            missing.append(f"The figure {name}.svg has not been drawn.")
    return found


def _name(place: Place) -> str:
    return place.corpus if place.unit == SERIES else f"{place.corpus}, {place.unit}"


def _corpora(sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the units of one text have to say of each other; no rows where there is one unit."""
    tables: dict[str, dict[str, pd.DataFrame]] = {}
    for section in sections:
        tables.setdefault(section["corpus"], {})[section["unit"]] = section["models"]
    return [
        {"corpus": corpus, "units": across_units(by_unit) if len(by_unit) > 1 else []}
        for corpus, by_unit in tables.items()
    ]


def _text_section(place: Place, runs: list[Run], missing: list[str]) -> dict[str, Any]:
    """The part of the page about one text by one unit; what is not there is added to `missing`."""
    models = read_models(place.file("models.csv"))
    told = []
    judged = _verdicts(Path(place.file("verdicts.csv")), missing)
    best = {str(best_on_valid(models[models["family"] == family])) for family in CHOSEN}
    bits = _bits(models)
    by_run = {(run.family, run.model): run for run in runs}
    for name, rows in models.groupby(["family", "model"], sort=False):
        if name not in by_run:
            told_of = "/".join(map(str, name))
            raise damaged(place.file("models.csv"), f"it has {told_of}, which the experiment has not")
        run = by_run.pop(name)
        told.append(_run(run, rows, models, bits, missing))
        told[-1] |= {"best": run.family in CHOSEN and run.model in best, "behind": behind(judged, run.model)}
    missing += [f"{run.model} is not in models.csv." for run in by_run.values()]
    for family, name in TRAINED.items():
        if family not in models["family"].unique():
            missing.insert(0, f"No {name} was trained here.")
    rate = next((run["entropy_rate"] for run in told if run["entropy_rate"]), None)
    return {
        "corpus": place.corpus, "unit": place.unit, "runs": told, "models": models,
        "protocols": _protocols(Path(place.file("protocols.csv"))),
        "contrast": _contrast(Path(place.file("contrast.json"))),
        "findings": _findings(Path(place.file("check.json"))), "answer": answer(models, judged, rate),
        "against": leader(judged), "closed": closed(models, place.unit), "bits": list(bits),
        "symbols": _symbols(models),
    }  # fmt: skip


def _run(
    run: Run, rows: pd.DataFrame, models: pd.DataFrame, bits: dict[str, str], missing: list[str]
) -> dict[str, Any]:
    """The part of the page about one model, with the columns of `bits`; what is not there is added to `missing`."""
    model = run.model
    splits = {str(row["split"]): row for row in rows.to_dict("records")}
    test, valid = splits.get("test"), splits.get("valid")
    if test is None or valid is None:
        raise damaged(run.place.file("models.csv"), f"it lacks a split of {model}")
    path = Path(run.file("metrics.json"))
    metrics = read_json(path) if path.is_file() else {}
    if not metrics:
        missing.append(f"The metrics of {model} are missing, and so are its notes.")
    card, sample = _text(run.file("card.yaml")), None
    if card is None:
        missing.append(f"The card of {model} is missing.")
    if run.family not in WITHOUT_SAMPLE:
        sample = _text(run.file("sample.txt"))
        if sample is None:
            missing.append(f"A sample of {model} is missing.")
        elif len(sample) > SAMPLE_CHARACTERS:
            sample = sample[:SAMPLE_CHARACTERS] + " …"
    if test["seeds"] == 1:
        missing.append(f"{model} was trained from one seed, so its figures have no standard deviation.")
    return {
        "family": run.family, "model": model, "card": card, "sample": sample,
        "notes": metrics.get("notes", []), "entropy_rate": metrics.get("entropy_rate"),
        "parameters": f"{test['parameters']:,}" if test["parameters"] else "–",
        "test": figure(test, "perplexity"), "interval": interval(test),
        "valid": figure(valid, "perplexity"),
        "bits": [number(test[name]) for name in bits.values()],
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


def _text(path: str | Path) -> str | None:
    path = Path(path)
    return verified(path).read_text(encoding="utf-8", errors="replace") if path.is_file() else None

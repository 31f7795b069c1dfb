"""References of finished experiments, and the comparison of results with them."""

import csv
import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from seqlab.io.errors import InputError
from seqlab.io.files import write_text
from seqlab.io.runs import Run
from seqlab.ledger.record import read_ledger
from seqlab.ledger.scores import SCORED_SPLITS

IDENTICAL, CLOSE, DIFFERS, MISSING, NEW = "identical bits", "within tolerance", "differs", "missing", "not in reference"
FAULT_VERDICTS = (DIFFERS, MISSING)
# Bits per symbol by which a row may differ on another machine: exact models differ by rounding; networks diverge after
# the first difference in rounding and end about as far apart as two seeds.
FAMILY_TOLERANCES = {"rnn": 0.05, "mixture": 0.05}
EXACT_TOLERANCE = 1e-5
REFERENCE_VALUES = ("bits_per_symbol", "digest")
REFERENCE_KEYS = ("corpus", "unit", "family", "model", "split", "seed")
REFERENCE_COLUMNS = [*REFERENCE_KEYS, *REFERENCE_VALUES]


def compose_reference(runs: Iterable[Run], fingerprint: dict[str, str]) -> dict[str, Any]:
    """Return the reference of finished `runs`: bits per symbol and a digest of the ledger for every seed and split, and
    the `fingerprint` of machine and versions.
    """
    rows = []
    for run in runs:
        metrics, bits = read_ledger(run)
        places = dict.fromkeys(SCORED_SPLITS, 0)
        for score in metrics["scores"]:
            split = score["split"]
            digest = hashlib.sha256(np.ascontiguousarray(bits[split][places[split]]).tobytes()).hexdigest()[:16]
            places[split] += 1
            values = {"bits_per_symbol": score["bits_per_symbol"], "digest": digest}
            rows.append({name: (metrics | score)[name] for name in REFERENCE_KEYS} | values)
    return {"fingerprint": fingerprint, "rows": rows}


def compare_references(expected: dict[str, Any], current: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return for every row of both references its name, the verdict, and the figures where they differ."""
    sides = (expected["rows"], current["rows"])
    before, now = ({tuple(row[name] for name in REFERENCE_KEYS): row for row in rows} for rows in sides)
    verdicts = []
    for name in dict.fromkeys([*before, *now]):
        first, second = before.get(name), now.get(name)
        label = "/".join(map(str, name[:4])) + f" {name[4]}" + (f" seed {name[5]}" if name[5] is not None else "")
        if first is None or second is None:
            verdicts.append((label, NEW if first is None else MISSING, ""))
        elif first["digest"] == second["digest"]:
            verdicts.append((label, IDENTICAL, ""))
        else:
            values = [float(side["bits_per_symbol"]) for side in (first, second)]
            tolerance = FAMILY_TOLERANCES.get(name[2], EXACT_TOLERANCE)
            close = abs(values[0] - values[1]) <= tolerance or values[0] == values[1]
            verdicts.append((label, CLOSE if close else DIFFERS, f"{values[0]:.6f} expected, {values[1]:.6f} now"))
    return verdicts


def read_reference(path: Path) -> dict[str, Any]:
    """Return the reference in `path`; InputError where it is missing or damaged."""
    if not path.exists():
        raise InputError(f"{path} does not exist; write it with `snakemake --cores 1 refresh_expected`")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    fingerprint = dict(line[2:].partition(": ")[::2] for line in lines if line.startswith("# "))
    table = csv.DictReader(line for line in lines if not line.startswith("# "))
    try:
        rows = [
            row | {"seed": int(row["seed"]) if row["seed"] else None, "bits_per_symbol": float(row["bits_per_symbol"])}
            for row in table
        ]
    except (KeyError, TypeError, ValueError, csv.Error):
        rows = []
    if table.fieldnames != REFERENCE_COLUMNS or not rows:
        raise InputError(f"{path} lacks valid rows with the columns {', '.join(REFERENCE_COLUMNS)}; restore it")
    return {"fingerprint": fingerprint, "rows": rows}


def write_reference(path: Path, reference: dict[str, Any]) -> None:
    """Write a reference: the fingerprint as comments, then its rows."""
    text = io.StringIO()
    text.writelines(f"# {key}: {value}\n" for key, value in reference["fingerprint"].items())
    writer = csv.DictWriter(text, REFERENCE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(reference["rows"])
    write_text(path, text.getvalue(), checksum=False)

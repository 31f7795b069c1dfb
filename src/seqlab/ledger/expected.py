"""Is a finished experiment what it was when its reference was written?"""

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
from seqlab.ledger.scores import SPLITS

IDENTICAL, CLOSE, DIFFERS, MISSING, NEW = "identical bits", "within tolerance", "differs", "missing", "not in reference"
FAULTS = (DIFFERS, MISSING)
# Bits per symbol by which a row may differ on another machine: exact models by rounding; networks take another path
# through their weights after the first difference in rounding, and end about as far apart as two seeds.
TOLERANCE = {"rnn": 0.05, "mixture": 0.05}
EXACT = 1e-5
VALUES = ("bits_per_symbol", "digest")
NAMES = ("corpus", "unit", "family", "model", "split", "seed")


def reference(runs: Iterable[Run], fingerprint: dict[str, str]) -> dict[str, Any]:
    """The reference of finished `runs`: for every seed and split the bits per symbol and a digest of the ledger's row;
    and `fingerprint`, machine and versions.
    """
    rows = []
    for run in runs:
        metrics, bits = read_ledger(run)
        places = dict.fromkeys(SPLITS, 0)
        for score in metrics["scores"]:
            split = score["split"]
            exact = hashlib.sha256(np.ascontiguousarray(bits[split][places[split]]).tobytes()).hexdigest()[:16]
            places[split] += 1
            shown = {"bits_per_symbol": score["bits_per_symbol"], "digest": exact}
            rows.append({name: (metrics | score)[name] for name in NAMES} | shown)
    return {"fingerprint": fingerprint, "rows": rows}


def compare_with(expected: dict[str, Any], found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """A verdict for every row of both: the name of the row, the verdict, and the figures where they differ."""
    before, now = ({tuple(row[name] for name in NAMES): row for row in side["rows"]} for side in (expected, found))
    verdicts = []
    for name in dict.fromkeys([*before, *now]):
        first, second = before.get(name), now.get(name)
        told = "/".join(map(str, name[:4])) + f" {name[4]}" + (f" seed {name[5]}" if name[5] is not None else "")
        if first is None or second is None:
            verdicts.append((told, NEW if first is None else MISSING, ""))
        elif first["digest"] == second["digest"]:
            verdicts.append((told, IDENTICAL, ""))
        else:
            values = [float(side["bits_per_symbol"]) for side in (first, second)]
            close = abs(values[0] - values[1]) <= TOLERANCE.get(name[2], EXACT) or values[0] == values[1]
            verdicts.append((told, CLOSE if close else DIFFERS, f"{values[0]:.6f} then, {values[1]:.6f} now"))
    return verdicts


def read_reference(path: Path) -> dict[str, Any]:
    """The reference in `path`; InputError where there is none or it is damaged."""
    if not path.exists():
        raise InputError(f"{path} does not exist; write it with `snakemake --cores 1 refresh_expected`, on purpose")
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
    if table.fieldnames != [*NAMES, *VALUES] or not rows:
        raise InputError(f"{path} is not a reference with the columns {', '.join([*NAMES, *VALUES])}; restore it")
    return {"fingerprint": fingerprint, "rows": rows}


def write_reference(path: Path, found: dict[str, Any]) -> None:
    """Write a reference: the fingerprint as comments, then a line for each row."""
    text = io.StringIO()
    text.writelines(f"# {key}: {value}\n" for key, value in found["fingerprint"].items())
    writer = csv.DictWriter(text, [*NAMES, *VALUES], lineterminator="\n")
    writer.writeheader()
    writer.writerows(found["rows"])
    write_text(path, text.getvalue(), checksum=False)

"""All runs as one tidy table, from the files alone: a row for each run, metric and step, with every digit."""

from pathlib import Path
from typing import Any

import pandas as pd

from seqlab.errors import InputError
from seqlab.files import replacing
from seqlab.tracking.plan import finished, plan_runs
from seqlab.tracking.runs import PlannedRun, Sweep

FORMATS = (".csv", ".parquet")
FIRST = ["experiment", "run", "run_key", "family", "model", "seed", "metric", "step", "value"]


def export_runs(results: Path, output: Path) -> tuple[int, int]:
    """Write the runs of all finished models under `results`; returns the numbers of rows and of runs.

    The columns are those of `FIRST`, then `data` (the digest of what was trained on) and every parameter, as text; an
    infinite value is inf. Raises InputError for another ending than .csv and .parquet, and where nothing is finished.
    """
    if output.suffix not in FORMATS:
        raise InputError(f"{output} ends neither in .csv nor in .parquet; name the table so that it does")
    runs = [run for run in plan_runs(results, finished(results), Sweep()) if run.points]
    if not runs:
        raise InputError(
            f"{results} holds no finished model; run the workflow first, or name another folder: --results"
        )
    table = pd.DataFrame([row for run in runs for row in _rows(run)])
    others = [name for name in table.columns if name not in FIRST]
    table = table[[*FIRST, *others]]
    with replacing(output) as temporary:
        if output.suffix == ".csv":
            table.to_csv(temporary, index=False, lineterminator="\n")
        else:
            table.to_parquet(temporary, index=False)
    return len(table), len(runs)


def _rows(run: PlannedRun) -> list[dict[str, Any]]:
    known = {"experiment": run.experiment, "run": run.name, "run_key": run.key, "data": run.tags.get("data", "")}
    known |= {name: run.params.get(name, run.tags.get(name, "")) for name in ("family", "model", "seed")}
    params = {name: value for name, value in run.params.items() if name not in known}
    return [known | {"metric": point.name, "step": point.step, "value": point.value} | params for point in run.points]

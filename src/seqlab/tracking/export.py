"""All runs as one tidy table with a row for each run, metric and step."""

from pathlib import Path
from typing import Any

import pandas as pd

from seqlab.io.errors import InputError
from seqlab.io.files import replacing
from seqlab.io.runs import read_experiments
from seqlab.tracking.plan import plan_runs
from seqlab.tracking.runs import PlannedRun

TABLE_FORMATS = (".csv", ".parquet")
NAME_COLUMNS = ["experiment", "corpus", "unit", "family", "model", "seed"]
FIRST_COLUMNS = [*NAME_COLUMNS, "run", "run_key", "metric", "step", "value"]


def export_runs(results: Path, output: Path) -> tuple[int, int]:
    """Write the finished runs of all experiments in `results`; return the numbers of rows and runs.

    The columns are `FIRST_COLUMNS`, then `data` (the digest of the training data) and every parameter as text;
    infinite values are inf. Raise InputError for other suffixes than .csv and .parquet, and without finished runs.
    """
    if output.suffix not in TABLE_FORMATS:
        raise InputError(f"{output} ends neither in .csv nor in .parquet; use one of these suffixes")
    runs = [run for experiment in read_experiments(results) for run in plan_runs(experiment) if run.points]
    if not runs:
        raise InputError(
            f"{results} holds no finished run; run the workflow first, or choose another folder with --results"
        )
    table = pd.DataFrame([row for run in runs for row in _rows(run)])
    others = [name for name in table.columns if name not in FIRST_COLUMNS]
    table = table[[*FIRST_COLUMNS, *others]]
    with replacing(output, checksum=False) as temporary:
        if output.suffix == ".csv":
            table.to_csv(temporary, index=False, lineterminator="\n")
        else:
            table.to_parquet(temporary, index=False)
    return len(table), len(runs)


def _rows(run: PlannedRun) -> list[dict[str, Any]]:
    known = {name: run.params.get(name, run.tags.get(name, "")) for name in NAME_COLUMNS}
    known |= {"run": run.name, "run_key": run.key, "data": run.tags.get("data", "")}
    params = {name: value for name, value in run.params.items() if name not in known}
    return [known | {"metric": point.name, "step": point.step, "value": point.value} | params for point in run.points]

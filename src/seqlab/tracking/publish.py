"""Mirror finished runs into MLflow, where they can be compared.

The files under results/ are the truth and the database is a cache of them: deleted, it is rebuilt by the next call.
One process writes, one run after the other; training never comes here.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from seqlab.files import write_json
from seqlab.provenance import provenance
from seqlab.tracking.champions import champions, publish_champions
from seqlab.tracking.connection import connect, experiment_id, is_server, sole_writer
from seqlab.tracking.faults import faults_named
from seqlab.tracking.plan import plan_runs
from seqlab.tracking.reconcile import CREATED, SUPERSEDED, UNCHANGED, reconcile
from seqlab.tracking.runs import PlannedRun, Sweep
from seqlab.tracking.views import install_views, views_of

ATTEMPTS = 3  # when others publish the same runs to the same server


def track_runs(results: Path, folders: Sequence[Path], uri: str, receipt: Path, sweep: Sweep | None = None) -> None:
    """Publish the finished models in `folders` (results/{corpus}/{unit}/{family}/{model}) to MLflow at `uri`.

    Every model and seed becomes a run of the experiment `{corpus}/{unit}`, and the sweep one more, with its page, its
    tables and its figures. A repeat changes nothing; a run whose files have changed takes the place of the old one,
    which stays restorable; runs of models not among `folders` are left alone. `receipt` (tracking.json in
    docs/architecture.md) is written last, when all has succeeded; its `created` counts completed runs too, and
    `created + unchanged == runs`, and it names the server, if `uri` is one. Raises InputError where a card is damaged
    or the database or server fails.
    """
    receipt.unlink(missing_ok=True)  # a receipt of an earlier call must not vouch for this one
    planned = plan_runs(results, folders, sweep or Sweep())
    total: Counter[str] = Counter({CREATED: 0, UNCHANGED: 0, SUPERSEDED: 0})
    experiments: dict[str, int] = {}
    ids: dict[str, tuple[str, str]] = {}  # of a run by its key: its experiment and itself
    with faults_named(uri), sole_writer(results):
        client, publisher = connect(uri), publisher_tags()
        for name, group in groupby(planned, key=lambda run: run.experiment):
            runs = list(group)
            experiment = experiment_id(client, name, results, uri)
            outcome, found = _reconcile(client, experiment, runs, publisher, uri)
            ids |= {key: (experiment, run_id) for key, run_id in found.items()}
            _arrange(client, experiment, runs)
            total.update(outcome)
            experiments[name] = outcome[CREATED] + outcome[UNCHANGED]
            told = (f"{outcome[what]} {what}" for what in (CREATED, UNCHANGED, SUPERSEDED))
            print(f"{name}: {experiments[name]} runs", *told, sep=", ", file=sys.stderr)
        models = publish_champions(client, champions(folders), ids)
        print(f"champions: {models} new models", file=sys.stderr)
    server = {"server": uri} if is_server(uri) else {}
    write_json(receipt, {"runs": len(planned), **total, "experiments": experiments} | server)


def publisher_tags() -> dict[str, str]:
    """Who publishes: the code, the machine and the versions, as tags of a run."""
    known = provenance()
    head, _, dirty = known.pop("commit").partition(" ")
    hardware = f"{known.pop('processor')}, {known.pop('system')}"
    tags = {"commit": head, "dirty": str(bool(dirty)).lower(), "hardware": hardware}
    tags["versions"] = ", ".join(f"{package} {version}" for package, version in known.items())
    tags |= {"mlflow.source.name": "snakemake", "mlflow.source.type": "LOCAL"}
    return tags if head == "unknown" else tags | {"mlflow.source.git.commit": head}


def _reconcile(client: Any, experiment: str, runs: list[PlannedRun], publisher: dict[str, str], uri: str
               ) -> tuple[Counter[str], dict[str, str]]:  # fmt: skip
    """`reconcile`, once more where another folder that publishes to the same server deleted a run that was being
    written.
    """
    from mlflow.exceptions import MlflowException

    for attempt in range(1, ATTEMPTS + 1):
        try:
            return reconcile(client, experiment, runs, publisher)
        except MlflowException as error:
            if not is_server(uri) or "deleted" not in str(error) or attempt == ATTEMPTS:
                raise
    raise AssertionError  # unreachable


def _arrange(client: Any, experiment: str, runs: list[PlannedRun]) -> None:
    """Give an experiment its views, and the answer as its description."""
    found = client.get_experiment(experiment)
    known = found.tags
    install_views(client, experiment, known, views_of(found.name))
    pages = [run.standing["mlflow.note.content"] for run in runs if "mlflow.note.content" in run.standing]
    wanted = {"mlflow.experimentKind": "custom_model_development"}
    wanted |= {"mlflow.note.content": pages[0].splitlines()[0]} if pages else {}
    for key, value in wanted.items():
        if known.get(key) != value:
            client.set_experiment_tag(experiment, key, value)

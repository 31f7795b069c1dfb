"""Mirror finished runs into MLflow, where they can be compared.

The files under results/ are the truth and the database is a cache of them: deleted, it is rebuilt by the next call.
MLflow chooses the ids of runs, so a run is found again by its tag `run_key` (what it is) and judged by its tag
`content` (what it came to). One process writes, one run after the other; training never comes here.
"""

import csv
import hashlib
import json
import math
import os
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from seqlab.cards import read_card
from seqlab.errors import InputError
from seqlab.files import write_json
from seqlab.ledger.perplexity import read_metrics
from seqlab.provenance import commit, sha256_of

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # the defaults keep one call waiting four minutes for an absent server
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # MLflow prints a traceback of each error that is reported here in one sentence
}
OUTSIDE = {"builtins.OSError", "sqlite3.Error", "sqlalchemy.SQLAlchemyError", "mlflow.MlflowException"}
REMEDIES = {  # what a message shows of the cause: the cause and the remedy; the last fits all
    "is locked": "another program is writing to it; stop that program and run the same command again",
    "readonly|read-only|unable to open|permission denied": "it cannot be written; make it writable or choose another",
    "max retries|timed out": "the server does not answer; start it, or give no --uri to use a local database",
    "schema|locate revision|table \\S+ already": "its tables are not those of the installed MLflow; delete a local "
    "database, which the next run rebuilds from the results, or run `mlflow db upgrade` on a shared one",
    "": "it failed; delete a local database, which the next run rebuilds from the results, or ask who runs the server",
}
# MLflow offers the first for a comparison, so it is the one that selects a model.
CURVES = ("valid/loss", "valid/perplexity", "train/loss", "train/perplexity", "gradient_norm", "learning_rate")
STUDY = ("corpus", "unit", "family")  # models that agree in these are compared with each other
BATCH = 1000  # metrics or runs in one call; MLflow's limit


@dataclass(frozen=True)
class PlannedRun:
    """What one run of the database should hold. `start` is in milliseconds since 1970, `seconds` a duration."""

    experiment: str
    key: str
    name: str
    start: int
    seconds: float
    tags: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    metrics: tuple[tuple[str, float, int], ...] = ()  # name, value, step
    artifacts: tuple[tuple[Path, str | None], ...] = ()  # file, folder in the run

    @property
    def content(self) -> str:
        """A digest of all that is published, save what differs when the same run is computed again."""
        metrics = [metric for metric in self.metrics if metric[0] != "train_seconds"]
        files = [(folder, path.name, sha256_of(path)) for path, folder in self.artifacts]
        return _digest([self.name, self.tags, self.params, metrics, files])


def track_runs(results: Path, folders: Sequence[Path], uri: str, receipt: Path) -> None:
    """Publish the finished models in `folders` (results/{corpus}/{unit}/{family}/{model}) to MLflow at `uri`.

    Every model and seed becomes a run of the experiment `{corpus}/{unit}`, and the tables and figures of that
    experiment one more run, `summary`. A repeat changes nothing; a run whose files have changed takes the place of the
    old one, which stays restorable; runs of models not among `folders` are left alone. `receipt` (tracking.json in
    docs/architecture.md) is written last, when all has succeeded; its `created` counts completed runs too, and
    `created + unchanged == runs`. Raises InputError where a card is damaged or the database or server fails.
    """
    receipt.unlink(missing_ok=True)  # a receipt of an earlier call must not vouch for this one
    planned = sorted(_plan_runs(results, folders), key=lambda run: (run.experiment, run.name))
    total: Counter[str] = Counter(created=0, unchanged=0, superseded=0)
    experiments = {}
    with _faults_named(uri):
        client = _connect(uri)
        for name, runs in groupby(planned, key=lambda run: run.experiment):
            outcome = _publish(client, _experiment(client, name, results, uri), list(runs))
            total.update(outcome)
            experiments[name] = outcome["created"] + outcome["unchanged"]
            told = (f"{number} {what}" for what, number in outcome.items())
            print(f"{name}: {experiments[name]} runs", *told, sep=", ", file=sys.stderr)
    write_json(receipt, {"runs": len(planned), **total, "experiments": experiments})


def local_database(results: Path) -> str:
    """The URI of mlflow.db among the results. MLflow stores absolute paths, so a database that came here with a moved
    or copied folder is set aside as mlflow.db.moved: the next call makes a new one from the results.
    """
    database = results.resolve() / "mlflow.db"
    if database.exists():
        try:
            with closing(sqlite3.connect(database)) as connection:
                places = connection.execute(
                    "SELECT artifact_location FROM experiments WHERE name LIKE '%/%'"
                ).fetchall()
        except sqlite3.Error:
            places = []  # not a whole database: publishing says what is wrong with it
        if any(not Path(place).is_relative_to(database.parent) for (place,) in places):
            database.replace(database.with_name("mlflow.db.moved"))
            print("mlflow.db belongs to another folder; kept as mlflow.db.moved and made anew", file=sys.stderr)
    return f"sqlite:///{database}"


def _plan_runs(results: Path, folders: Sequence[Path]) -> list[PlannedRun]:
    """The runs that the models in `folders` and the summaries of their experiments should have in the database."""
    cards = {folder: read_card(folder / "card.yaml") for folder in folders}
    settings = {folder: _flat(card["settings"]) for folder, card in cards.items()}
    planned: list[PlannedRun] = []
    for folder, card in cards.items():
        study = [settings[other] for other in folders if all(cards[other][key] == card[key] for key in STUDY)]
        swept = [name for name in settings[folder] if len({rest.get(name) for rest in study}) > 1]
        planned += _plan_model(folder, card, {name: settings[folder][name] for name in [*swept, *settings[folder]]})
    for corpus, unit in {(card["corpus"], card["unit"]) for card in cards.values()}:
        planned += _plan_summary(results, corpus, unit)
    return planned


def _flat(settings: dict[str, Any]) -> dict[str, str]:
    """Nested settings as text under the last part of their names, or under the whole where that part is taken."""
    whole: dict[str, str] = {}
    groups = [("settings", settings)]
    for prefix, group in groups:  # grows while it is walked
        for name, value in group.items():
            if isinstance(value, dict):
                groups.append((f"{prefix}.{name}", value))
            else:  # always the same text for the same value: MLflow refuses to write 0.10 over 0.1
                whole[f"{prefix}.{name}"] = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    last = [name.rsplit(".", 1)[-1] for name in whole] + ["seed", "family", "model"]
    return {part if last.count(part) == 1 else name: whole[name] for name, part in zip(whole, last, strict=False)}


def _plan_model(folder: Path, card: dict[str, Any], settings: dict[str, str]) -> Iterator[PlannedRun]:
    """One run per seed, or a single one where the model has none."""
    metrics = read_metrics(folder / "metrics.json")
    artifacts = tuple((folder / name, None) for name in ("card.yaml", "sample.txt") if (folder / name).exists())
    for seed in dict.fromkeys(row["seed"] for row in metrics["scores"]):
        seeded = {} if seed is None else {"seed": str(seed)}
        values = [*_curves(folder / "history.csv", seed), *_final_metrics(metrics, seed)]
        infinite = sorted({name for name, value, _ in values if not math.isfinite(value)})
        yield PlannedRun(
            experiment=f"{card['corpus']}/{card['unit']}",
            key=_digest(card | {"seeds": seed}),  # of this seed alone: another seed must not change the key
            name=card["model"] if seed is None else f"{card['model']}-s{seed}",
            start=(folder / "metrics.json").stat().st_mtime_ns // 1_000_000 - round(1000 * metrics["train_seconds"]),
            seconds=metrics["train_seconds"],
            tags={"kind": "model", **{key: card[key] for key in STUDY}, **seeded}
            | {"card": metrics["card"], "data": card["data"]["ids"]}
            | ({"infinite": ", ".join(infinite)} if infinite else {}),
            params=settings | seeded | {"family": card["family"], "model": card["model"]},
            metrics=tuple(value for value in values if math.isfinite(value[1])),  # MLflow would store 1.8e308
            artifacts=artifacts,
        )


def _curves(path: Path, seed: int | None) -> Iterator[tuple[str, float, int]]:
    """The history of one seed, curve by curve; nothing where the family keeps no history."""
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["seed"] == str(seed)]
        for name in CURVES:
            column = name.replace("/", "_")
            yield from ((name, float(row[column]), int(row["epoch"])) for row in rows if row[column])


def _final_metrics(metrics: dict[str, Any], seed: int | None) -> Iterator[tuple[str, float, int]]:
    """Single figures at step 0, which MLflow draws as bars."""
    scores = {row["split"]: row for row in metrics["scores"] if row["seed"] == seed}
    figures = ("perplexity", "bits_per_char", "bits_per_symbol")
    yield from ((f"test/{figure}", float(scores["test"][figure]), 0) for figure in figures)
    yield "best/valid_perplexity", float(scores["valid"]["perplexity"]), 0
    yield from ((figure, float(metrics[figure]), 0) for figure in ("parameters", "train_seconds"))


def _plan_summary(results: Path, corpus: str, unit: str) -> Iterator[PlannedRun]:
    """The run that carries the tables and figures of an experiment, if there are any yet."""
    base = results / corpus / unit
    tables = [(base / name, None) for name in ("summary.csv", "models.csv") if (base / name).exists()]
    artifacts = (*tables, *((path, "figures") for path in sorted((base / "figures").glob("*.svg"))))
    if artifacts:
        newest = max(path.stat().st_mtime_ns for path, _ in artifacts) // 1_000_000
        tags = {"kind": "summary", "corpus": corpus, "unit": unit}
        yield PlannedRun(f"{corpus}/{unit}", _digest(tags), "summary", newest, 0.0, tags, artifacts=artifacts)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def _connect(uri: str) -> Any:
    """A client of `uri`; the import takes seconds, so it happens here and in no other module."""
    if uri.startswith("sqlite:///"):  # MLflow would try ten times, for 100 s, to open a file that cannot be opened
        path = Path(uri.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=5)) as database:
            database.execute("BEGIN IMMEDIATE")  # fails unless the file is a database, unlocked and writable
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _experiment(client: Any, name: str, results: Path, uri: str) -> str:
    """The id of the experiment, made if need be; a server chooses the place of artifacts itself."""
    place = None if uri.startswith(("http://", "https://")) else str(results.resolve() / "mlflow-artifacts" / name)
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name, artifact_location=place))
    if uri.startswith("sqlite:") and found.artifact_location != place:  # a moved tree: its links would lead nowhere
        there = f"{uri} keeps the artifacts of {name} in {found.artifact_location}, not in {place}"
        raise InputError(f"{there}; delete that database, the next run rebuilds it from the results")
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _publish(client: Any, experiment: str, planned: list[PlannedRun]) -> Counter[str]:
    """Bring one experiment in line with `planned`; returns how many runs were created, unchanged, superseded."""
    runs = page = client.search_runs([experiment], max_results=BATCH)
    while page.token:
        page = client.search_runs([experiment], max_results=BATCH, page_token=page.token)
        runs = runs + page
    present: dict[str | None, list[Any]] = {}
    for run in sorted(runs, key=lambda run: (run.info.start_time, run.info.run_id)):  # the oldest first
        present.setdefault(run.data.tags.get("run_key"), []).append(run)
    # The code that publishes; no part of the content, or each commit would renew every run.
    code = dict(zip(("commit", "dirty"), map(str, commit()), strict=True))
    return Counter(it for run in planned for it in _reconcile(client, experiment, run, present.get(run.key, []), code))


def _reconcile(client: Any, experiment: str, run: PlannedRun, present: list[Any], code: dict[str, str]) -> list[str]:
    """Make one run be as planned; returns what was done: created, unchanged, or created and superseded."""
    for twin in present[1:]:  # a server whose answer is lost is asked again and makes a second run
        client.delete_run(twin.info.run_id)
    content = run.content
    old, known = (present[0].info, present[0].data.tags) if present else (None, {})
    if known.get("content") == content:
        return ["unchanged"]
    if old and "content" not in known and known.get("content_begun", content) == content:  # it was cut short
        _fill(client, old.run_id, old.start_time, run, content)
        return ["created"]
    tags = run.tags | code | {"run_key": run.key, "content_begun": content}
    new = client.create_run(experiment, start_time=run.start, tags=tags, run_name=run.name).info
    _fill(client, new.run_id, new.start_time, run, content)
    if old is None:
        return ["created"]
    client.set_tag(old.run_id, "superseded_by", new.run_id)
    client.delete_run(old.run_id)  # softly: it can be restored
    return ["created", "superseded"]


def _fill(client: Any, run_id: str, start: int, run: PlannedRun, content: str) -> None:
    """Write what the run holds and close it; all of it may have been written before, and then stays as it is."""
    from mlflow.entities import Metric, Param

    client.log_batch(run_id, params=[Param(name, value) for name, value in run.params.items()])
    # Time is part of a point's identity in MLflow, so it follows from the run and not from the clock.
    metrics = [Metric(name, value, start + step, step) for name, value, step in run.metrics]
    for first in range(0, len(metrics), BATCH):
        client.log_batch(run_id, metrics=metrics[first : first + BATCH])
    for path, folder in run.artifacts:
        client.log_artifact(run_id, str(path), folder)
    client.set_terminated(run_id, status="FINISHED", end_time=start + round(1000 * run.seconds))
    client.set_tag(run_id, "content", content)  # last: it says that everything above is there


@contextmanager
def _faults_named(uri: str) -> Iterator[None]:
    """Turn a failure of the database or server into an InputError that names the place, the cause and the remedy."""
    try:
        yield
    except Exception as error:
        kinds = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}
        if isinstance(error, FileNotFoundError) or not kinds & OUTSIDE:  # by name: importing them takes seconds
            raise
        place, detail = (re.sub(r"//[^/@\s]*@", "//", " ".join(str(it).split())) for it in (uri, error))  # no password
        fitting = (advice for pattern, advice in REMEDIES.items() if re.search(pattern, detail, re.IGNORECASE))
        raise InputError(f"cannot publish to {place}: {next(fitting)} (it said: {detail[:200]})") from None

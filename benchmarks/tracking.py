"""Cost of tracking: publishing many runs, mirroring live trainings, and eight folders at one server.

    python benchmarks/tracking.py            all of it; with --quick the same with few runs, to see that it works

The last line is JSON. Nothing outside a temporary folder is written.
"""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from made_results import HISTORY, SPLITS, list_runs, make_results  # noqa: E402

from seqlab.dashboard.server import MLFLOW_FEATURES  # noqa: E402
from seqlab.dashboard.session import SEARCH_PATH, is_answering, open_socket  # noqa: E402
from seqlab.fleet.live import LIVE_HISTORY  # noqa: E402
from seqlab.io.cards import write_card  # noqa: E402
from seqlab.io.files import write_json, write_text  # noqa: E402
from seqlab.io.provenance import read_processor  # noqa: E402
from seqlab.io.runs import Run  # noqa: E402
from seqlab.ledger.perplexity import tabulate_scores, write_metrics  # noqa: E402


def make_networks(results: Path, models: int, seeds: list[int], epochs: int) -> list[Run]:
    """Write finished networks of the experiment `made` with `epochs` points in each of six curves."""
    prepared = results / "corpora" / "toy" / "char"
    write_json(prepared / "splits.json", SPLITS)
    arrays = {split: np.full((len(seeds), 200), 2.0) for split in ("valid", "test")}
    runs = []
    for model in range(models):
        run = Run(str(results / "made"), "toy", "char", "rnn", f"lstm-1x{model + 1}")
        name = {"corpus": run.corpus, "unit": run.unit, "family": run.family, "model": run.model}
        settings = {"cell": "lstm", "layers": 1, "hidden": model + 1}
        data = {"ids": "0" * 64, "splits": "1" * 64, "vocab": "2" * 64}
        write_card(run.file("card.yaml"), name | {"settings": settings, "seeds": seeds, "data": data})
        metrics = {"card": "3" * 64, "settings": settings, "scores_sha256": "4" * 64, "parameters": 1}
        metrics |= {"train_seconds": 1.0, "notes": [], "per_symbol": True}
        write_metrics(run.file("metrics.json"), name | metrics | {"scores": tabulate_scores(arrays, SPLITS, seeds)})
        rows = [row(epoch, seed) for epoch in range(1, epochs + 1) for seed in seeds]
        lines = [",".join(HISTORY), *(",".join(str(values[name]) for name in HISTORY) for values in rows)]
        write_text(run.file("history.csv"), "\n".join(lines) + "\n")
        runs.append(run)
    list_runs(runs, prepared)
    return runs


def listed(results: Path) -> str:
    """Return the path of the runs.json of the experiment `made`."""
    return str(results / "made" / "runs.json")


def row(epoch: int, seed: int) -> dict[str, Any]:
    """Return one row of a history."""
    loss = 1 + 1 / epoch + seed / 1000
    return dict(zip(HISTORY, [epoch, seed, loss, 2.0, loss, 2.0, 0.01, 0.5, 1e5, 1.0], strict=True))


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run an MLflow server with its own database."""
    with open_socket(0) as free:
        port = free.getsockname()[1]
    place = ["--backend-store-uri", f"sqlite:///{folder}/served.db", "--artifacts-destination", str(folder / "served")]
    command = [sys.executable, "-m", "mlflow", "server", *place, "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--workers", "1"],
        env=os.environ | MLFLOW_FEATURES,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not is_answering(f"http://127.0.0.1:{port}/{SEARCH_PATH}", {}):
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def publish(results: Path, uri: str) -> subprocess.Popen[bytes]:
    """Start the job of the workflow as a process."""
    command = [sys.executable, str(ROOT / "workflow/scripts/track_runs.py"), "--experiment", listed(results)]
    command += ["--results", str(results), "--output", str(results / "made" / "tracking.json")]
    return subprocess.Popen([*command, "--uri", uri])


def timed(results: Path, uri: str) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    assert publish(results, uri).wait() == 0
    return round(time.perf_counter() - start, 1)


def load(folder: Path, runs: int) -> dict[str, Any]:
    """Return the seconds to publish `runs` runs of 100 points: to a new file, again, and through a server."""
    results = folder / "load"
    make_networks(results, runs // 5, [1, 2, 3, 4, 5], 15)  # 6 curves of 15 epochs and 8 single figures
    local = f"sqlite:///{results}/mlflow.db"
    measured: dict[str, Any] = {"runs": runs, "new_file_seconds": timed(results, local)}
    measured["repeat_seconds"] = timed(results, local)
    measured["file_mb"] = round((results / "mlflow.db").stat().st_size / 1e6, 1)
    with server(folder) as uri:
        measured["server_seconds"] = timed(results, uri)
        measured["server_repeat_seconds"] = timed(results, uri)
        measured["view_seconds"] = opened(uri)
    return measured


def opened(uri: str) -> dict[str, float] | None:
    """Return the seconds until a browser shows the runs of each view; None without a browser."""
    sys.path.insert(0, str(ROOT / "tools"))
    from playwright.sync_api import sync_playwright
    from screenshots import FLAGS, find_browser

    from seqlab.tracking.views.catalogue import TEXT_VIEWS

    seconds: dict[str, float] = {}
    if find_browser() is None:
        return None
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        for view in (
            view for view in TEXT_VIEWS if view.link not in ("experiments", "ngram-rnn")
        ):  # without tables, empty
            page = chromium.new_page()
            start = time.perf_counter()
            page.goto(uri + view.address("1"))
            page.wait_for_function("document.body.innerText.includes('lstm-1x')", timeout=300_000)
            seconds[view.link] = round(time.perf_counter() - start, 1)
            page.close()
        chromium.close()
    return seconds


def eight_folders(folder: Path, folders: int) -> dict[str, Any]:
    """Publish copies of the same results to one server in parallel, which must then hold each run once."""
    project = folder / "one"
    make_results(project)
    copies = [folder / f"copy-{number}" for number in range(folders)]
    for copy in copies:
        shutil.copytree(project / "results", copy)
    with tempfile.TemporaryDirectory() as place, server(Path(place)) as uri:
        start = time.perf_counter()
        codes = [process.wait() for process in [publish(copy, uri) for copy in copies]]
        seconds = round(time.perf_counter() - start, 1)
        codes += [publish(copies[0], uri).wait()]
        with sqlite3.connect(f"{place}/served.db") as database:
            rows = database.execute(
                "SELECT value, count(*) FROM tags JOIN runs USING (run_uuid) WHERE key = 'run_key' "
                "AND lifecycle_stage = 'active' AND status = 'FINISHED' GROUP BY value"
            ).fetchall()
    return {
        "folders": folders,
        "failed": sum(map(bool, codes)),
        "runs": len(rows),
        "doubled": sum(count > 1 for _, count in rows),
        "seconds": seconds,
    }


@contextmanager
def following(results: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the follower beside this program, as beside Snakemake."""
    place = ["--experiment", listed(results), "--results", str(results), "--parent", str(os.getpid())]
    process = subprocess.Popen([sys.executable, "-m", "seqlab.tracking.live.follower", *place])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait()


def lag(folder: Path, models: int, epochs: int, pause: float) -> dict[str, Any]:
    """Return the seconds from the line in a history to the point in the database, for `models` trainings of three
    seeds.
    """
    results = folder / "lag"
    runs = make_networks(results, models, [1, 2, 3], 1)
    now = time.time_ns
    header = json.dumps({"started": now() // 1_000_000, "process": os.getpid(), "machine": os.uname().nodename}) + "\n"
    for run in runs:
        Path(run.file("history.csv")).unlink()
        Path(run.file(LIVE_HISTORY)).write_text(header)
    written: dict[int, list[int]] = {}
    with following(results) as process:
        database = results / "mlflow.db"
        wait_for_runs(database, 3 * models)
        seen: dict[tuple[str, int], int] = {}
        with sqlite3.connect(database, timeout=30) as connection:
            for epoch in range(1, epochs + 1):
                for run in runs:
                    written.setdefault(epoch, []).append(now())
                    with Path(run.file(LIVE_HISTORY)).open("a") as file:
                        file.write("".join(json.dumps(row(epoch, seed)) + "\n" for seed in (1, 2, 3)))
                    look(connection, seen, now() + int(1e9 * pause / models))
            look(connection, seen, now() + int(20e9), 3 * models * epochs)
        seconds = cpu_seconds(process.pid)
    places = {f"{run.model}-s{seed}": place for place, run in enumerate(runs) for seed in (1, 2, 3)}
    lags = [(moment - written[epoch][places[name]]) / 1e9 for (name, epoch), moment in seen.items()]
    return {
        "runs": 3 * models,
        "points": len(lags),
        "median_seconds": round(statistics.median(lags), 2),
        "p95_seconds": round(float(np.quantile(lags, 0.95)), 2),
        "cpu_seconds": round(seconds, 1),
    }


def wait_for_runs(database: Path, runs: int) -> None:
    count = 0
    while count < runs:
        time.sleep(0.2)
        if database.exists():
            try:
                with sqlite3.connect(database, timeout=30) as connection:
                    ((count,),) = connection.execute("SELECT count(*) FROM runs")
            except sqlite3.OperationalError:
                continue  # the tables are being made


def look(
    connection: sqlite3.Connection, seen: dict[tuple[str, int], int], until: int, enough: int | None = None
) -> None:
    """Note when each point is first there."""
    query = "SELECT name, step FROM metrics JOIN runs USING (run_uuid) WHERE key = 'valid/epoch_loss'"
    while time.time_ns() < until and (enough is None or len(seen) < enough):
        for point in connection.execute(query).fetchall():
            seen.setdefault(point, time.time_ns())
        time.sleep(0.02)


def cpu_seconds(process: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def epoch_times(folder: Path, pairs: int) -> dict[str, Any]:
    """Epoch times of one training, with the follower stopped and going on in turn: the pairs meet the same machine."""
    import torch

    from seqlab.fleet.fleet import Fleet
    from seqlab.fleet.live import LiveHistory
    from seqlab.fleet.settings import TrainingSettings
    from seqlab.fleet.training import train_fleet
    from seqlab.rnn.network import Architecture
    from seqlab.rnn.task import LanguageTask

    torch.set_num_threads(1)
    results = folder / "epochs"
    (run,) = make_networks(results, 1, [1, 2, 3], 1)
    Path(run.file("history.csv")).unlink()
    text = np.random.default_rng(1).integers(0, 28, 60_000)
    settings = TrainingSettings.from_configuration(
        "config/config.yaml", epochs=4 * pairs + 6, early_stopping=0, batch_size=32
    )
    fleet = Fleet.start(Architecture("lstm", 1, 128, 28), settings, [1, 2, 3], torch.device("cpu"))
    live = LiveHistory(run.folder, fleet)
    times: dict[bool, list[float]] = {True: [], False: []}
    with following(results) as process:
        wait_for_runs(results / "mlflow.db", 3)
        state = {"epoch": 0, "start": time.perf_counter()}

        def report(_: str) -> None:
            state["epoch"] += 1
            epoch, now = int(state["epoch"]), time.perf_counter()
            if epoch == 6:  # the first epochs warm up
                state["warm"] = cpu_seconds(process.pid)
            elif epoch > 6:
                times[follows(epoch)].append(now - state["start"])
            process.send_signal(signal.SIGCONT if follows(epoch + 1) else signal.SIGSTOP)
            state["start"] = time.perf_counter()

        train_fleet(fleet, LanguageTask.of(fleet.network, text, [text[:500]]), report=live.reporting(report))
        seconds = cpu_seconds(process.pid) - state["warm"]
    ratios = np.array(times[True]) / np.array(times[False])
    generator = np.random.default_rng(1)
    medians = [np.median(generator.choice(ratios, len(ratios))) for _ in range(2000)]
    return {
        "pairs": len(ratios),
        "epoch_seconds": round(statistics.median(times[False]), 3),
        "ratio": round(float(np.median(ratios)), 4),
        "low": round(float(np.quantile(medians, 0.025)), 4),
        "high": round(float(np.quantile(medians, 0.975)), 4),
        "cpu_share": round(seconds / sum(times[True] + times[False]), 4),
    }


def follows(epoch: int) -> bool:
    """With and without in the order of A B B A, so that a drift of the machine takes no side."""
    return epoch % 4 in (0, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few runs, as a test")
    parser.add_argument(
        "--only", choices=("load", "eight_folders", "lag", "epoch_times"), help="one part of the benchmark"
    )
    arguments = parser.parse_args()
    quick = arguments.quick
    parts = {
        "load": lambda folder: load(folder, 20 if quick else 1000),
        "eight_folders": lambda folder: eight_folders(folder, 2 if quick else 8),
        "lag": lambda folder: lag(folder, 2 if quick else 8, 3 if quick else 15, 1.0 if quick else 4.0),
        "epoch_times": lambda folder: epoch_times(folder, 2 if quick else 15),
    }
    measured: dict[str, Any] = {"processor": f"{read_processor()}, {os.cpu_count()} cores"}
    for name, part in parts.items():
        if arguments.only in (None, name):
            with tempfile.TemporaryDirectory() as place:
                measured[name] = part(Path(place))
            print(f"{name}: {measured[name]}", flush=True)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()

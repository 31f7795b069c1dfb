"""Requests that try to get into a running dashboard; the table in docs/security.md is made here."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attacks
import pytest
from attacks import Reading, Request, Target, as_another_account, statuses
from dashboards import Dashboard, running
from mlflow_routes import mlflow_routes
from project import ROOT, Project

from seqlab.tracking.connection import connect

FORBIDDEN = range(200, 400)


@pytest.fixture(scope="module")
def routes() -> list[str]:
    return mlflow_routes()


@pytest.fixture(scope="module")
def results(smoke: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published results of the smoke experiment."""
    return smoke.copy(tmp_path_factory.mktemp("attacked") / "project").folder / "results"


@pytest.fixture(scope="module")
def dashboard(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dashboard, Target]]:
    """A dashboard, after one of the same results, and beside one of other results."""
    with running(results) as earlier:
        pass
    empty = tmp_path_factory.mktemp("other")
    connect(f"sqlite:///{empty}/mlflow.db").search_experiments()
    with running(empty) as other, running(results) as attacked:
        yield attacked, Target(attacked.port, attacked.key, (earlier.key, other.key))


def client(target: Target, path: str, body: Any = None) -> Any:
    """What the dashboard answers its owner."""
    import urllib.request

    headers = dict([target.cookie, ("Content-Type", "application/json")])
    content = None if body is None else json.dumps(body).encode()
    address = f"http://127.0.0.1:{target.port}{target.base}{path}"
    with urllib.request.urlopen(urllib.request.Request(address, content, headers)) as answer:
        return json.load(answer)


def test_nobody_else_gets_in(dashboard: tuple[Dashboard, Target], routes: list[str]) -> None:
    attacked, target = dashboard
    (run, *_) = client(target, "/ajax-api/2.0/mlflow/runs/search", {"experiment_ids": ["1"]})["runs"]
    (model, *_) = client(target, "/ajax-api/2.0/mlflow/registered-models/search?x=1")["registered_models"]
    before = client(target, "/ajax-api/2.0/mlflow/experiments/search?max_results=9")

    rows: list[tuple[str, int, list[Any]]] = []

    def attack(what: str, requests: list[Request], other_account: bool = False) -> None:
        def ask() -> list[int]:
            return statuses(requests, target.port)

        answers = as_another_account(ask) if other_account else ask()
        inside = [pair for pair in zip(requests, answers, strict=True) if pair[1] in FORBIDDEN]
        rows.append((what, len(requests), inside))

    attack("another account of the machine, without the cookie: each of MLflow's routes, in two places",
           attacks.without_cookie(target, routes), other_account=True)  # fmt: skip
    reading = Reading(attacked.results, tuple(family(attacked.process.pid)), target.key.token)
    tried, read = read_as_another_account(reading)
    rows.append(("another account: the database, the artifacts, the note, the log, the memory and the command lines",
                 tried, read))  # fmt: skip
    for what, requests in attacks.tokens(target):
        attack(what, requests)
    attack("with the cookie, under a foreign name of the machine (DNS rebinding)", attacks.hosts(target))
    attack("with the cookie, from a script or a form of another site or port", attacks.sites(target))
    attack("HEAD, OPTIONS and other methods, with the cookie and without", attacks.methods(target))
    attack("websockets and HTTP/2, with the cookie and without", attacks.websockets(target))
    attack("with the cookie: each of MLflow's routes that is shut", attacks.shut_routes(target, routes))
    attack("with the cookie: what is shut, spelt with encoded and doubled slashes, `..`", attacks.paths(target))
    attack("with the cookie: files that are no artifacts, as artifacts",
           attacks.artifacts(target, run["info"]["run_id"], model["name"], "1"))  # fmt: skip
    attack("with the cookie: writes and queries inside requests that are open", attacks.bodies(target))

    assert [inside for _, _, inside in rows if inside] == []
    assert client(target, "/ajax-api/2.0/mlflow/experiments/search?max_results=9") == before
    assert target.key.token not in (attacked.results / "dashboard.log").read_text()
    lines = [f"| {what} | {count:,} | {len(inside)} |" for what, count, inside in rows]
    lines.append(f"| together | {sum(count for _, count, _ in rows):,} | 0 |")
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    assert "\n".join(lines) in text, "docs/security.md lacks this table:\n" + "\n".join(lines)


def test_without_the_cookie_every_answer_is_401_and_one_sentence(
    dashboard: tuple[Dashboard, Target], routes: list[str]
) -> None:
    _, target = dashboard
    assert set(statuses(attacks.without_cookie(target, routes), target.port)) == {401}


def test_with_the_cookie_what_is_shut_answers_404(dashboard: tuple[Dashboard, Target], routes: list[str]) -> None:
    _, target = dashboard
    assert set(statuses(attacks.shut_routes(target, routes), target.port)) == {404}


def test_the_same_attacks_get_in_where_they_are_meant_to(dashboard: tuple[Dashboard, Target]) -> None:
    """The requests of the attacks work when nothing is wrong with them."""
    _, target = dashboard
    view = json.dumps({"experiment_id": "0", "key": "mlflow.sharedViewState.x", "value": "{}"})
    headers = (target.cookie, ("Content-Type", "application/json"), ("Origin", f"http://127.0.0.1:{target.port}"))
    right = [
        Request(target.base + attacks.SEARCH, headers=(target.cookie,)),
        Request(target.base + attacks.SEARCH, headers=(target.cookie,), host=("localhost:1234",)),
        Request(f"/?token={target.key.token}"),
        Request(f"/?token={target.key.token}", headers=(("Sec-Fetch-Site", "cross-site"),)),
        Request(target.base + attacks.VIEW_ROUTES[0].split()[1], "POST", headers, view),
        Request(target.base + attacks.VIEW_ROUTES[1].split()[1], "POST", headers, view),
    ]
    assert statuses(right, target.port) == [200] * len(right)


def family(process: int) -> list[int]:
    """A process and those it has started."""
    children = Path(f"/proc/{process}/task/{process}/children")
    return [process, *(int(child) for child in children.read_text().split())] if children.exists() else []


def read_as_another_account(reading: Reading) -> tuple[int, list[str]]:
    """How much was tried, and what was read or written; an account of its own can read all of that."""
    if os.geteuid() != 0:
        reading.tried, reading.got = 0, []
        return len(reading.processes) * 9 + 8, []
    folder = os.open(reading.results, os.O_RDONLY)

    def read() -> tuple[int, list[str]]:
        reading.read(folder)
        return reading.tried, reading.got

    tried, got = as_another_account(read)
    os.close(folder)
    return tried, got


def test_no_list_of_processes_shows_the_token(dashboard: tuple[Dashboard, Target]) -> None:
    attacked, target = dashboard
    listed = subprocess.run(["ps", "-eww", "-o", "args"], check=True, capture_output=True, text=True).stdout
    assert "seqlab.dashboard.server" in listed
    assert target.key.token not in listed
    for process in family(attacked.process.pid):
        assert target.key.token.encode() not in Path(f"/proc/{process}/environ").read_bytes()


def test_the_token_is_printed_once_and_is_new_at_each_start(dashboard: tuple[Dashboard, Target]) -> None:
    attacked, target = dashboard
    assert attacked.printed.count(target.key.token) == 1
    assert len({target.key.token, *(key.token for key in target.others)}) == 3


def test_the_terminal_shows_the_guide_and_the_file_the_log(dashboard: tuple[Dashboard, Target]) -> None:
    attacked, _ = dashboard
    assert "INFO" not in attacked.printed and "Leaderboard" in attacked.printed
    assert "Started server process" in (attacked.results / "dashboard.log").read_text()


def test_only_the_owner_may_read_what_it_writes(dashboard: tuple[Dashboard, Target]) -> None:
    attacked, _ = dashboard
    modes = {name: (attacked.results / name).stat().st_mode & 0o777
             for name in (".dashboard.json", "dashboard.log", "mlflow.db", "mlflow-artifacts")}  # fmt: skip
    assert modes == {".dashboard.json": 0o600, "dashboard.log": 0o600, "mlflow.db": 0o600, "mlflow-artifacts": 0o700}


def test_another_port_of_the_machine_is_no_other_way_in(dashboard: tuple[Dashboard, Target]) -> None:
    _, target = dashboard
    with pytest.raises(ConnectionRefusedError):
        attacks.socket.create_connection(("127.0.0.2", target.port), timeout=60)


def test_a_second_dashboard_of_the_same_results_is_refused(dashboard: tuple[Dashboard, Target]) -> None:
    from dashboards import PROGRAM

    attacked, target = dashboard
    done = subprocess.run([*PROGRAM, "--results", str(attacked.results)], capture_output=True, text=True)
    assert done.returncode == 1 and f"already runs at port {target.port}" in done.stderr
    assert re.search(r"token=", done.stdout + done.stderr) is None

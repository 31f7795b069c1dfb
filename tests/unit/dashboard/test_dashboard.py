"""The dashboard up to where MLflow takes over: who is let in, and for what."""

import asyncio
import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mlflow_routes import mlflow_routes

from seqlab.dashboard.guard import MAX_REQUEST_BYTES, Guard, Key
from seqlab.dashboard.routes import EDIT_ROUTES, QUERY_FIELDS, READ_ROUTES, VIEW_ROUTES
from seqlab.dashboard.server import compose_page
from seqlab.dashboard.session import HOST, SESSION_FILE, open_socket, serve_dashboard, stop_dashboard
from seqlab.io.errors import InputError
from seqlab.io.files import write_json
from seqlab.tracking.connection import find_published_address

SEARCH = "/ajax-api/2.0/mlflow/experiments/search"
TAG = VIEW_ROUTES[0].split()[1]


@dataclass
class Guarded:
    """A guard around an application that keeps what reaches it, and answers 200."""

    writable: bool = False
    key: Key = field(default_factory=Key)
    reached: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    stopped: int = 0

    def __post_init__(self) -> None:
        self.guard = Guard(self.application, self.key, "<head></head>", self.writable, self.stop)

    def stop(self) -> None:
        self.stopped += 1

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.reached.append((f"{scope['method']} {scope['path']}", headers, body))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def ask(self, path: str, method: str = "GET", body: bytes = b"", query: str = "", **headers: str) -> int:
        """The status of a request with the cookie, unless `headers` have another one."""
        return self.answer(
            self.key.base.rstrip("/") + path, method, body, query, {"cookie": self.key.cookie} | headers
        )[0]

    def answer(
        self, path: str, method: str = "GET", body: bytes = b"", query: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        named = {"host": "127.0.0.1:5000"} | {name.replace("_", "-"): text for name, text in (headers or {}).items()}
        scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "root_path": "",
                 "query_string": query.encode(), "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1),
                 "headers": [(name.encode(), text.encode()) for name, text in named.items()]}  # fmt: skip
        sent: list[dict[str, Any]] = []
        parts = [body[:10], body[10:]]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.guard(scope, receive, send))
        answered = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
        return sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture
def guarded() -> Guarded:
    return Guarded()


def test_a_port_in_use_is_not_taken() -> None:
    with open_socket(0) as taken, open_socket(taken.getsockname()[1]) as other:
        assert taken.getsockname()[1] != other.getsockname()[1]


def test_only_this_machine_is_listened_to() -> None:
    with open_socket(0) as listening:
        assert listening.getsockname()[0] == HOST == "127.0.0.1"


def test_without_a_database_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mlflow\.db does not exist; run the workflow first"):
        serve_dashboard(tmp_path, 5000)


def test_nothing_is_stopped_where_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no dashboard of .* runs on this machine"):
        stop_dashboard(tmp_path)


@pytest.fixture
def note(tmp_path: Path) -> dict[str, Any]:
    """What a dashboard that was killed leaves behind."""
    with open_socket(0) as closed:
        port = closed.getsockname()[1]
    return {"results": str(tmp_path), "machine": socket.gethostname(), "port": port, "base": "/x/", "token": "y"}


def test_the_note_of_a_dashboard_that_was_killed_is_removed(tmp_path: Path, note: dict[str, Any]) -> None:
    write_json(tmp_path / SESSION_FILE, note)
    with pytest.raises(InputError, match=r"no dashboard of .* runs on this machine"):
        stop_dashboard(tmp_path)
    assert not (tmp_path / SESSION_FILE).exists()


def test_the_note_in_a_copy_of_results_is_not_taken_for_its_own(tmp_path: Path, note: dict[str, Any]) -> None:
    write_json(tmp_path / SESSION_FILE, note | {"results": "/elsewhere", "machine": "login-2"})
    with pytest.raises(InputError, match=r"no dashboard of .* runs on this machine"):
        stop_dashboard(tmp_path)


def test_a_dashboard_of_another_machine_is_named(tmp_path: Path, note: dict[str, Any]) -> None:
    write_json(tmp_path / SESSION_FILE, note | {"machine": "login-2"})
    with pytest.raises(InputError, match="runs on login-2; stop it there"):
        stop_dashboard(tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_note_that_another_account_wrote_is_not_followed(tmp_path: Path, note: dict[str, Any]) -> None:
    write_json(tmp_path / SESSION_FILE, note)
    os.chown(tmp_path / SESSION_FILE, 65534, 65534)
    with pytest.raises(InputError, match="belongs to another account; delete it"):
        stop_dashboard(tmp_path)


def test_every_start_has_a_key_of_its_own_that_is_not_shown() -> None:
    keys = [Key(), Key()]
    assert len({key.token for key in keys}) == len({key.base for key in keys}) == 2
    assert keys[0].token not in repr(keys[0])


def test_the_cookie_opens_and_nothing_else(guarded: Guarded) -> None:
    assert guarded.ask(SEARCH) == 200
    assert guarded.ask(SEARCH, cookie="") == 401
    assert guarded.ask(SEARCH, cookie=Key(base=guarded.key.base).cookie) == 401
    assert guarded.ask(SEARCH, cookie=f"{guarded.key.cookie}; {guarded.key.cookie}") == 401
    assert len(guarded.reached) == 1


def test_the_link_sets_the_cookie_and_leads_on(guarded: Guarded) -> None:
    status, headers, body = guarded.answer("/", query=f"token={guarded.key.token}")
    assert status == 200
    for part in (guarded.key.cookie, "HttpOnly", "SameSite=strict", f"Path={guarded.key.base}"):
        assert part in headers["set-cookie"]
    assert f"location.replace('{guarded.key.base}'" in body.decode() and guarded.key.token not in body.decode()


@pytest.mark.parametrize("query", ["", "token=", "token=x", "token={0}x", "token={0}&token={0}", "Token={0}"])
def test_another_token_sets_none(guarded: Guarded, query: str) -> None:
    status, headers, body = guarded.answer("/", query=query.format(guarded.key.token))
    assert (status, "set-cookie" in headers, body.count(b"\n")) == (401, False, 1)


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost", "localhost:8080", "[::1]:5000"])
def test_names_of_this_machine_are_answered(guarded: Guarded, host: str) -> None:
    assert guarded.ask(SEARCH, host=host) == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.0.1", "", "["])
def test_other_names_are_not(guarded: Guarded, host: str) -> None:
    assert guarded.ask(SEARCH, host=host) == 403
    headers = {"host": host}
    assert guarded.answer("/", query=f"token={guarded.key.token}", headers=headers)[0] == 403
    assert guarded.reached == []


def test_pages_of_the_dashboard_may_ask_and_pages_of_others_may_not(guarded: Guarded) -> None:
    assert guarded.ask(SEARCH, origin="http://127.0.0.1:5000", sec_fetch_site="same-origin") == 200
    assert guarded.ask(SEARCH, origin="http://127.0.0.1:5001") == 403
    assert guarded.ask(SEARCH, sec_fetch_site="same-site") == 403
    assert guarded.ask("/stop-dashboard", "POST", origin="https://evil.example") == 403
    assert guarded.stopped == 0


def test_the_link_may_be_followed_from_anywhere(guarded: Guarded) -> None:
    """From a terminal in a browser, for example."""
    headers = {"sec-fetch-site": "cross-site"}
    assert guarded.answer("/", query=f"token={guarded.key.token}", headers=headers)[0] == 200


def test_mlflow_sees_neither_the_cookie_nor_the_base(guarded: Guarded) -> None:
    guarded.ask(SEARCH, authorization="Basic x", x_forwarded_for="1.2.3.4", x_mlflow_workspace="x")
    ((request, headers, _),) = guarded.reached
    assert request == f"GET {SEARCH}" and set(headers) == {"host", "content-length"}


def test_a_request_to_stop_needs_the_cookie(guarded: Guarded) -> None:
    assert (guarded.ask("/stop-dashboard", "POST", cookie=""), guarded.stopped) == (401, 0)
    assert (guarded.ask("/stop-dashboard", "POST"), guarded.stopped) == (200, 1)


def test_a_body_without_end_is_refused(guarded: Guarded) -> None:
    assert guarded.ask(SEARCH, "POST", b"x" * (MAX_REQUEST_BYTES + 1)) == 413
    assert guarded.reached == []


def test_every_answer_keeps_others_from_framing_and_reading_it(guarded: Guarded) -> None:
    for headers in ({}, {"cookie": guarded.key.cookie}):
        answered = guarded.answer(guarded.key.base, headers=headers)[1]
        assert answered["x-frame-options"] == "SAMEORIGIN" and answered["referrer-policy"] == "no-referrer"
        assert "default-src 'self'" in answered["content-security-policy"]


def test_a_websocket_is_closed(guarded: Guarded) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guarded.guard({"type": "websocket", "path": "/"}, None, send))  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_views_are_saved_as_they_were_checked(guarded: Guarded) -> None:
    tag = {"experiment_id": "1", "key": "mlflow.sharedViewState.mine", "value": "{}"}
    twice = b'{"key": "mlflow.note.content", "experiment_id": "1", "key": "mlflow.sharedViewState.mine", "value": "{}"}'
    assert guarded.ask(TAG, "POST", json.dumps(tag | {"more": 1}).encode()) == guarded.ask(TAG, "POST", twice) == 200
    assert [json.loads(body) for _, _, body in guarded.reached] == [tag, tag]
    assert [int(headers["content-length"]) for _, headers, _ in guarded.reached] == [len(json.dumps(tag))] * 2


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"key": "mlflow.note.content"}', b'{"key": ["mlflow.sharedViewState."]}']
)
def test_other_tags_are_shut(guarded: Guarded, body: bytes) -> None:
    assert guarded.ask(TAG, "POST", body) == 404
    assert guarded.reached == []


def test_a_writable_dashboard_sets_every_tag() -> None:
    guarded = Guarded(writable=True)
    assert guarded.ask(TAG, "POST", b'{"key": "mlflow.note.content"}') == 200


@pytest.mark.parametrize("name", sorted(QUERY_FIELDS))
def test_queries_that_read_runs_are_open(guarded: Guarded, name: str) -> None:
    query = json.dumps({"query": f"query Q($x: X) {{ {name}(input: $x) {{ ...F }} }} fragment F on R {{ y }}"})
    assert guarded.ask("/graphql", "POST", query.encode()) == 200


@pytest.mark.parametrize("query", ["mutation { mlflowSearchRuns }", "{ test }", "{ mlflowGetRun: test }", "{ ...F }",
                                   "{", "{ mlflowGetRun } mutation { x }", "{ __schema { types } }"])  # fmt: skip
def test_other_queries_are_shut(guarded: Guarded, query: str) -> None:
    assert guarded.ask("/graphql", "POST", json.dumps({"query": query}).encode()) == 404
    assert guarded.reached == []


@pytest.fixture(scope="module")
def routes() -> list[str]:
    return mlflow_routes()


@pytest.mark.parametrize("writable", [False, True])
def test_of_all_routes_of_mlflow_those_of_the_list_are_open(routes: list[str], writable: bool) -> None:
    guarded = Guarded(writable)
    bodies = {"POST /graphql": b'{"query": "{ mlflowGetRun }"}'}
    bodies |= dict.fromkeys(VIEW_ROUTES, b'{"key": "mlflow.sharedViewState.x"}')
    open_routes = set()
    for route in routes:
        method, _, path = route.partition(" ")
        concrete = path.replace("<path:", "<").replace("<", "").replace(">", "")
        status = guarded.ask(concrete, method, bodies.get(route, b""))
        assert status in (200, 404)
        open_routes |= {route} if status == 200 else set()
    assert open_routes == set(READ_ROUTES + VIEW_ROUTES + EDIT_ROUTES * writable)
    assert len(routes) > 400 and len(guarded.reached) == len(open_routes) - 1  # "/" is the dashboard's own


def test_the_page_is_that_of_mlflow_and_hides_editing_unless_writable() -> None:
    plain, writable = compose_page(writable=False), compose_page(writable=True)
    assert plain.count("main.") == writable.count("main.") > 0
    assert "[data-assistant-ui]" in plain and "[data-assistant-ui]" in writable
    assert "run-rename-button" in plain and "run-rename-button" not in writable


def test_runs_that_were_published_to_a_server_are_looked_for_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert find_published_address(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    write_json(tmp_path / "smoke/tracking.json", {"runs": 1, "server": "http://there:5000"})
    assert find_published_address(tmp_path) == "http://there:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://here:5000")
    assert find_published_address(tmp_path) == "http://here:5000"

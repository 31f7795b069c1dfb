"""Access control around MLflow's application: the token, the origin of requests and the list of open routes.

Checks in this order: a request without the token gets 401, one with another host name or from a page of another site
403, one for a route that is not listed 404. MLflow receives accepted requests without the cookie.
"""

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from graphql.language import FieldNode, FragmentDefinitionNode
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seqlab.dashboard.routes import EDIT_ROUTES, QUERY_FIELDS, READ_ROUTES, VIEW_ROUTES, compile_routes
from seqlab.tracking.views.format import VIEW_TAG

STOP_REQUEST = "POST /stop-dashboard"
ALLOWED_HOSTS = ("127.0.0.1", "localhost", "::1")  # names behind tunnels included; the port may be that of a tunnel
SAME_SITE_VALUES = ("", "same-origin", "none")  # of Sec-Fetch-Site; "same-site" would be another port of this machine
MAX_REQUEST_BYTES = 2_000_000  # bytes of a request
FORWARDED_HEADERS = frozenset(
    b"accept accept-encoding content-type content-length host if-modified-since if-none-match range user-agent".split()
)
PROTECTION_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "frame-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
REFUSAL_SENTENCES = {
    HTTPStatus.UNAUTHORIZED: "open the link with the token that the dashboard printed at its start",
    HTTPStatus.FORBIDDEN: "the dashboard answers only its own pages at 127.0.0.1 or localhost; open its printed link",
    HTTPStatus.NOT_FOUND: "the dashboard has no such page, or only with the option --writable",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"the request is larger than {MAX_REQUEST_BYTES:,} bytes",
}
# The next request must come from a page of this server: browsers omit cookies with SameSite=Strict from requests that
# start at another site, such as a terminal in the browser in which the link was clicked.
ENTRANCE_PAGE = "<!doctype html><title>seqlab</title><script>location.replace({base!r} + location.hash)</script>"


@dataclass(frozen=True)
class Key:
    """The key of one dashboard, created at each start.

    All addresses begin with `base`, to which the cookie is bound: browsers send cookies to every port of a machine, so
    that other servers on loopback, perhaps of other accounts, would receive the token.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    base: str = field(default_factory=lambda: f"/{secrets.token_hex(8)}/")

    @property
    def cookie_name(self) -> str:
        """The name of the cookie, unknown to servers on other ports, which therefore can't overwrite it."""
        return f"seqlab-{self.base.strip('/')}"

    @property
    def cookie(self) -> str:
        """The value of the header Cookie that opens the dashboard."""
        return f"{self.cookie_name}={self.token}"

    def is_shown_in(self, headers: Headers) -> bool:
        """Return whether the request has the cookie exactly once, with the token."""
        cookies = [part.strip() for line in headers.getlist("cookie") for part in line.split(";")]
        values = [cookie for cookie in cookies if cookie.startswith(f"{self.cookie_name}=")]
        return len(values) == 1 and hmac.compare_digest(values[0].encode(), self.cookie.encode())

    def is_given_in(self, scope: Scope) -> bool:
        """Return whether the request is the printed link, with the token exactly once."""
        if (scope["method"], scope["path"]) != ("GET", "/"):
            return False
        tokens = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("token", [])
        return len(tokens) == 1 and hmac.compare_digest(tokens[0].encode(), self.token.encode())


class Guard:
    """The ASGI application around that of MLflow; `page` is served at its root, `stop` ends the server."""

    def __init__(self, application: ASGIApp, key: Key, page: str, writable: bool, stop: Callable[[], None]) -> None:
        self.application, self.key, self.page, self.writable, self.stop = application, key, page, writable, stop
        self.open = compile_routes(READ_ROUTES + VIEW_ROUTES + (EDIT_ROUTES if writable else ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request; close a websocket."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._answer(scope, receive, _protected(send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        entering = self.key.is_given_in(scope)
        response: Response | None = None
        if not entering and not self.key.is_shown_in(headers):
            response = _refusal(HTTPStatus.UNAUTHORIZED)
        elif not _is_own(headers, entering):
            response = _refusal(HTTPStatus.FORBIDDEN)
        elif entering:
            response = self._entrance()
        elif not scope["path"].startswith(self.key.base):
            response = _refusal(HTTPStatus.NOT_FOUND)
        else:
            path = scope["path"].removeprefix(self.key.base.rstrip("/"))
            await self._serve(scope, path, receive, send)
            return
        await response(scope, receive, send)

    async def _serve(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        """Answer an authorized request if its route is open."""
        request = f"{scope['method']} {path}"
        if request == STOP_REQUEST:
            self.stop()
            await PlainTextResponse("the dashboard stops")(scope, receive, send)
        elif request == "GET /":
            await HTMLResponse(self.page, headers={"Cache-Control": "no-store"})(scope, receive, send)
        elif not self.open.fullmatch(request):
            await _refusal(HTTPStatus.NOT_FOUND)(scope, receive, send)
        else:
            body = await _read(receive)
            if body is None:
                await _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)(scope, receive, send)
            elif (body := self._checked(request, body)) is None:
                await _refusal(HTTPStatus.NOT_FOUND)(scope, receive, send)
            else:
                await self.application(_forwarded(scope, path, body), _replayed(body, receive), send)

    def _checked(self, request: str, body: bytes) -> bytes | None:
        """Return the body of a request for MLflow, rewritten from its checked content where it decides what the request
        does; None where it is not allowed.
        """
        if request == "POST /graphql":
            return _checked_query(body)
        if request in VIEW_ROUTES and not self.writable:
            return _checked_view(body)
        return body

    def _entrance(self) -> Response:
        page = HTMLResponse(ENTRANCE_PAGE.format(base=self.key.base), headers={"Cache-Control": "no-store"})
        page.set_cookie(self.key.cookie_name, self.key.token, path=self.key.base, httponly=True, samesite="strict")
        return page


def _refusal(status: HTTPStatus) -> Response:
    headers = {"WWW-Authenticate": "Token"} if status == HTTPStatus.UNAUTHORIZED else None
    return PlainTextResponse(f"{REFUSAL_SENTENCES[status]}\n", status, headers)


def _is_own(headers: Headers, entering: bool) -> bool:
    """Return whether a request names this machine, and comes from a page of the dashboard or from no page; the printed
    link may be followed from any page.
    """
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    if len(hosts) != 1 or _host(hosts[0]) not in ALLOWED_HOSTS:
        return False
    if entering:
        return True
    has_own_origin = all(origin == f"http://{hosts[0]}" for origin in origins)
    return has_own_origin and headers.get("sec-fetch-site", "") in SAME_SITE_VALUES


def _host(value: str) -> str | None:
    try:
        return urlsplit(f"//{value}").hostname
    except ValueError:
        return None


def _forwarded(scope: Scope, path: str, body: bytes) -> Scope:
    """Return `scope` for MLflow: relative to the root, and with a few headers only."""
    headers = [(name, value) for name, value in scope["headers"] if name in FORWARDED_HEADERS - {b"content-length"}]
    headers.append((b"content-length", str(len(body)).encode()))
    keys = ("type", "asgi", "http_version", "method", "scheme", "query_string", "client", "server", "extensions")
    forwarded = {key: scope[key] for key in keys if key in scope}
    return forwarded | {"path": path, "raw_path": path.encode(), "root_path": "", "headers": headers, "state": {}}


async def _read(receive: Receive) -> bytes | None:
    """Return the body of a request; None where it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_REQUEST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives `body`, then later messages."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _protected(send: Send) -> Send:
    """Return a `send` that adds headers against reading, framing and tracking by other sites."""

    async def protect(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in PROTECTION_HEADERS.items():
                headers[name] = value
        await send(message)

    return protect


def _checked_view(body: bytes) -> bytes | None:
    """Return the body that sets or deletes the tag of a view; None for other tags."""
    content = _json_object(body)
    tag = {name: content[name] for name in ("experiment_id", "key", "value") if name in content}
    if not all(isinstance(value, str) for value in tag.values()) or not str(tag.get("key", "")).startswith(VIEW_TAG):
        return None
    return json.dumps(tag).encode()


def _checked_query(body: bytes) -> bytes | None:
    """Return the body of a GraphQL query of `QUERY_FIELDS` only; None for others."""
    content = _json_object(body)
    query = {name: content.get(name) for name in ("query", "variables", "operationName")}
    try:
        document = parse(str(query["query"]))
    except (GraphQLError, RecursionError):
        return None
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            continue
        if not isinstance(definition, OperationDefinitionNode) or definition.operation != OperationType.QUERY:
            return None
        for selection in definition.selection_set.selections:
            if not isinstance(selection, FieldNode) or selection.name.value not in QUERY_FIELDS:
                return None
    return json.dumps(query).encode()


def _json_object(body: bytes) -> dict[str, object]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}

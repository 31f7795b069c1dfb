"""A layer around MLflow's application that lets in whoever has the token, and opens the routes of the list.

In this order: a request without the token gets 401, one under another name of the machine or from a page of another
site 403, one for a route that is not listed 404. What is let through reaches MLflow without the cookie.
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

from seqlab.dashboard.routes import EDIT_ROUTES, QUERY_FIELDS, READ_ROUTES, VIEW_ROUTES, route_pattern
from seqlab.tracking.views.format import VIEW_TAG

STOP = "POST /stop-dashboard"
HOSTS = ("127.0.0.1", "localhost", "::1")  # the other two for tunnels; the port may be that of a tunnel
SAME_SITE = ("", "same-origin", "none")  # of Sec-Fetch-Site, where "same-site" is another port of this machine
LARGEST_REQUEST = 2_000_000  # bytes of a request
FORWARDED = frozenset(
    b"accept accept-encoding content-type content-length host if-modified-since if-none-match range user-agent".split()
)
PROTECTION = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "frame-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
SENTENCES = {
    HTTPStatus.UNAUTHORIZED: "open the link with the token that the dashboard printed when it started",
    HTTPStatus.FORBIDDEN: "the dashboard answers its own pages at 127.0.0.1 or localhost, and no others",
    HTTPStatus.NOT_FOUND: "the dashboard has no such page, or shows it only when started with --writable",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"the request is larger than {LARGEST_REQUEST:,} bytes",
}
# The next request must come from a page of this server: a browser keeps a cookie of SameSite=Strict from a request
# that a page of another site has led to, such as a terminal in the browser in which the link was clicked.
ENTRANCE = "<!doctype html><title>seqlab</title><script>location.replace({base!r} + location.hash)</script>"


@dataclass(frozen=True)
class Key:
    """The key to one dashboard, made anew at each start.

    All its addresses begin with `base`, which the cookie is bound to: browsers send a cookie to every port of a
    machine, so without it other servers on loopback, which may be those of other accounts, would be sent the token.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    base: str = field(default_factory=lambda: f"/{secrets.token_hex(8)}/")

    @property
    def cookie_name(self) -> str:
        """The name of the cookie, which a server on another port can't know and so can't overwrite."""
        return f"seqlab-{self.base.strip('/')}"

    @property
    def cookie(self) -> str:
        """The value of the header Cookie that opens the dashboard."""
        return f"{self.cookie_name}={self.token}"

    def is_shown_in(self, headers: Headers) -> bool:
        """Return whether the request has the cookie, once and with the token."""
        cookies = [part.strip() for line in headers.getlist("cookie") for part in line.split(";")]
        shown = [cookie for cookie in cookies if cookie.startswith(f"{self.cookie_name}=")]
        return len(shown) == 1 and hmac.compare_digest(shown[0].encode(), self.cookie.encode())

    def is_given_in(self, scope: Scope) -> bool:
        """Return whether the request is the link that the dashboard printed: it has the token, once."""
        if (scope["method"], scope["path"]) != ("GET", "/"):
            return False
        given = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("token", [])
        return len(given) == 1 and hmac.compare_digest(given[0].encode(), self.token.encode())


class Guard:
    """The ASGI application around that of MLflow; `page` is the page at its root, and `stop` ends the server."""

    def __init__(self, application: ASGIApp, key: Key, page: str, writable: bool, stop: Callable[[], None]) -> None:
        self.application, self.key, self.page, self.writable, self.stop = application, key, page, writable, stop
        self.open = route_pattern(READ_ROUTES + VIEW_ROUTES + (EDIT_ROUTES if writable else ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a connection of another kind is closed."""
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
        """Answer a request that may be made, if the route is open."""
        request = f"{scope['method']} {path}"
        if request == STOP:
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
        """The body of a request as MLflow may see it: where it decides what the request does, it is written anew from
        what was checked. None where it asks for what is shut.
        """
        if request == "POST /graphql":
            return _checked_query(body)
        if request in VIEW_ROUTES and not self.writable:
            return _checked_view(body)
        return body

    def _entrance(self) -> Response:
        page = HTMLResponse(ENTRANCE.format(base=self.key.base), headers={"Cache-Control": "no-store"})
        page.set_cookie(self.key.cookie_name, self.key.token, path=self.key.base, httponly=True, samesite="strict")
        return page


def _refusal(status: HTTPStatus) -> Response:
    headers = {"WWW-Authenticate": "Token"} if status == HTTPStatus.UNAUTHORIZED else None
    return PlainTextResponse(f"{SENTENCES[status]}\n", status, headers)


def _is_own(headers: Headers, entering: bool) -> bool:
    """Return whether a request names this machine, and comes from a page of the dashboard or from none. The link may be
    followed from anywhere.
    """
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    if len(hosts) != 1 or _host(hosts[0]) not in HOSTS:
        return False
    if entering:
        return True
    return all(origin == f"http://{hosts[0]}" for origin in origins) and headers.get("sec-fetch-site", "") in SAME_SITE


def _host(value: str) -> str | None:
    try:
        return urlsplit(f"//{value}").hostname
    except ValueError:
        return None


def _forwarded(scope: Scope, path: str, body: bytes) -> Scope:
    """`scope` as MLflow sees it: at its root, and without the headers that are none of its business."""
    headers = [(name, value) for name, value in scope["headers"] if name in FORWARDED - {b"content-length"}]
    headers.append((b"content-length", str(len(body)).encode()))
    keys = ("type", "asgi", "http_version", "method", "scheme", "query_string", "client", "server", "extensions")
    kept = {key: scope[key] for key in keys if key in scope}
    return kept | {"path": path, "raw_path": path.encode(), "root_path": "", "headers": headers, "state": {}}


async def _read(receive: Receive) -> bytes | None:
    """The body of a request, or None where it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_REQUEST:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body`, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _protected(send: Send) -> Send:
    """A `send` that adds the headers which keep the pages from being read, framed or followed by others."""

    async def protect(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in PROTECTION.items():
                headers[name] = value
        await send(message)

    return protect


def _checked_view(body: bytes) -> bytes | None:
    """The body that sets or deletes the tag of a view, or None where it is another tag."""
    content = _json_object(body)
    tag = {name: content[name] for name in ("experiment_id", "key", "value") if name in content}
    if not all(isinstance(value, str) for value in tag.values()) or not str(tag.get("key", "")).startswith(VIEW_TAG):
        return None
    return json.dumps(tag).encode()


def _checked_query(body: bytes) -> bytes | None:
    """The body of a GraphQL query that asks for `QUERY_FIELDS` and nothing else, or None."""
    content = _json_object(body)
    asked = {name: content.get(name) for name in ("query", "variables", "operationName")}
    try:
        document = parse(str(asked["query"]))
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
    return json.dumps(asked).encode()


def _json_object(body: bytes) -> dict[str, object]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}

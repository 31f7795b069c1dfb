"""A server on this computer that gives a text, or fails to in many ways."""

import hashlib
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from itertools import repeat
from typing import ClassVar

TEXT = b"It was the best of times,\r\nit was the worst of times.\n" * 50
DESCRIPTION = {"title": "Times", "licence": "none", "cleaning": "none", "units": ["char"]}
SHA256 = hashlib.sha256(TEXT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """/good gives TEXT, /long much more, /flaky breaks off the first time, /busy is busy the first time.

    The others never give it: /loop redirects to itself, /drip sends a byte now and then, /endless never stops, /reset
    hangs up in the middle, /short and /more tell a wrong length, /down answers 500, /page is one to log in.
    """

    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self):
        self.asked[self.path] += 1
        body = {"/good": TEXT, "/wrong": b"<html>log in</html>", "/long": TEXT * 100, "/flaky": TEXT, "/busy": TEXT}
        first = self.asked[self.path] == 1
        if self.path == "/busy" and first:
            return self.send_error(503)
        if self.path in ENDLESS:
            return ENDLESS[self.path](self)
        if self.path not in body:
            return self.send_error(404)
        self.send_response(200)
        if self.path != "/long":  # a server need not say how long its answer is
            self.send_header("Content-Length", str(len(body[self.path])))
        self.end_headers()
        self.wfile.write(body[self.path][: 100 if self.path == "/flaky" and first else None])

    def log_message(self, *arguments):
        pass


def redirect(handler: Handler) -> None:
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def send(handler: Handler, length: int | None, parts: Iterable[bytes], pause: float = 0.0) -> None:
    """An answer that says it has `length` bytes, in `parts`, until the other side has had enough."""
    handler.send_response(200)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    handler.end_headers()
    with suppress(OSError):
        for part in parts:
            handler.wfile.write(part)
            handler.wfile.flush()
            time.sleep(pause)


def reset(handler: Handler) -> None:
    """Half of the text, then an end of the connection that the network tells as an error."""
    send(handler, len(TEXT), [TEXT[: len(TEXT) // 2]])
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


ENDLESS: dict[str, Callable[[Handler], None]] = {
    "/loop": redirect,
    "/drip": lambda handler: send(handler, len(TEXT), (TEXT[n : n + 1] for n in range(len(TEXT))), 0.001),
    "/endless": lambda handler: send(handler, None, repeat(TEXT)),
    "/reset": reset,
    "/short": lambda handler: send(handler, len(TEXT) - 100, [TEXT]),
    "/more": lambda handler: send(handler, len(TEXT) + 100, [TEXT]),
    "/down": lambda handler: handler.send_error(500),
    "/page": lambda handler: send(handler, None, [b"<!DOCTYPE html><title>Log in</title>"]),
}


def definition(*urls: str, **changes) -> dict:
    return DESCRIPTION | {"kind": "url", "urls": list(urls), "sha256": SHA256, "max_bytes": 10_000, **changes}

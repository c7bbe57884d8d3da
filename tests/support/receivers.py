"""A receiver that is a real HTTP server: it keeps what it gets, and answers as it is told to."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Got:
    """A request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def plain(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """How a request is answered.

    :param hold: waits for this before it answers.
    :param drop: closes the connection instead.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"ok"
    hold: threading.Event | None = None
    seconds: float = 0.0
    drop: bool = False


@dataclass
class Inbox:
    """What came, and what is answered: the replies in turn, then the last one for ever."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=lambda: [Reply()])
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def reply(self) -> Reply:
        """The next one."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def wait(self, count: int = 1, seconds: float = 30.0) -> None:
        """Until so many more requests have come."""
        for _ in range(count):
            assert self.came.acquire(timeout=seconds), f"only {len(self.got)} requests came"


@contextmanager
def receiver(*replies: Reply, certificate: Path | None = None) -> Iterator[Inbox]:
    """A server on the loopback.

    :param certificate: a file with a certificate and its key; then it speaks TLS.
    """
    inbox = Inbox()
    if replies:
        inbox.replies = list(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            inbox.got.append(Got(self.path, dict(self.headers), body))
            reply = inbox.reply()
            inbox.came.release()
            if reply.hold is not None:
                reply.hold.wait(30)
            if reply.seconds:
                time.sleep(reply.seconds)
            if reply.drop:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that does not wait for its answer is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    inbox.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

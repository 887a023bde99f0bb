"""What guests ask a router, or a host, over HTTP: user data, metadata and their password, as CloudStack's router answers.

It runs in a router, and on a host that serves its own guests, for each network. Who asks is known by the source
address, which anti-spoofing holds to be the guest's own. It answers from files and keeps nothing, so it may be ended and
started at any time.

    GET /latest/user-data               the user data, decoded; 404 if there is none
    GET /latest/meta-data/              the names of the items, a line for each
    GET /latest/meta-data/local-ipv4    an item; also /latest/local-ipv4

On its other port it is CloudStack's password server: the request's header DomU_Request says `send_my_password` (the
answer is the password, or `saved_password` if there is none any more) or `saved_password` (the guest has set it; it is
forgotten). To anything else it answers `bad_request`.

Run as a file, with Python's -I and -S: it needs the standard library only, and little of that.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import re
import selectors
import signal
import socket
import sys
import time
import traceback

LARGEST_REQUEST = 8192
PATIENCE = 30.0  # seconds that a connection may take, from its beginning to its end
CONNECTIONS = 16  # of one guest at a time
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class Metadata:
    """The files of one network's guests, and what is to be answered from them."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def metadata(self, guest: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer to that guest address."""
        parts = [part for part in path.split("?", 1)[0].split("/") if part]
        if parts[:1] == ["latest"]:
            parts = parts[1:]
            if not parts:
                return (200, b"meta-data/\nuser-data") if self._knows(guest) else (404, b"")
        if parts == ["user-data"]:
            return self._file(guest, "user-data")
        if parts == ["meta-data"]:
            return self._listing(guest)
        if parts[:1] == ["meta-data"]:
            parts = parts[1:]
        if len(parts) != 1 or not _NAME.fullmatch(parts[0]):
            return 404, b""
        return self._file(guest, "meta-data", parts[0])

    def password(self, guest: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        request = headers.get("domu_request")
        if request not in ("send_my_password", "saved_password"):
            return 400, b"bad_request"
        status, password = self._file(guest, "password")
        if status != 200:
            return 200, b"saved_password"
        if request == "send_my_password":
            return 200, password
        self._forget(guest, password)
        return 200, b"saved_password"

    def _knows(self, guest: str) -> bool:
        return os.path.isdir(os.path.join(self.folder, guest))

    def _file(self, guest: str, *path: str) -> tuple[int, bytes]:
        try:
            with open(os.path.join(self.folder, guest, *path), "rb") as file:
                return 200, file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return 404, b""

    def _listing(self, guest: str) -> tuple[int, bytes]:
        try:
            names = os.listdir(os.path.join(self.folder, guest, "meta-data"))
        except (FileNotFoundError, NotADirectoryError):
            return 404, b""
        return 200, "\n".join(sorted(name for name in names if not name.startswith("."))).encode()

    def _forget(self, guest: str, password: bytes) -> None:
        folder = os.path.join(self.folder, guest)
        new = os.path.join(folder, ".password.saved.new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(hashlib.sha256(password).hexdigest())
        os.replace(new, os.path.join(folder, "password.saved"))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, "password"))


class Connection:
    """One request and its answer. Closed after that, or when its time is up."""

    def __init__(self, server: Server, accepted: socket.socket, guest: str, passwords: bool) -> None:
        accepted.setblocking(False)
        self.server, self.socket, self.guest, self.passwords = server, accepted, guest, passwords
        self.until = time.monotonic() + PATIENCE
        self.received, self.answer = b"", b""

    def ready(self, events: int) -> None:
        try:
            if self.answer:
                self.answer = self.answer[self.socket.send(self.answer) :]
                if not self.answer:
                    self.server.close(self)
                return
            data = self.socket.recv(LARGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            self.server.close(self)
            return
        self.received += data
        if b"\r\n\r\n" in self.received or b"\n\n" in self.received:
            self.answer = self._answer()
        elif len(self.received) > LARGEST_REQUEST:
            self.answer = _response("GET", 400, b"bad_request")
        elif not data:
            self.server.close(self)
            return
        if self.answer:
            self.server.selector.modify(self.socket, selectors.EVENT_WRITE, self.ready)

    def _answer(self) -> bytes:
        head = self.received.decode("latin-1").replace("\r\n", "\n").split("\n\n", 1)[0].split("\n")
        words = head[0].split(" ")
        if len(words) < 2 or not words[1].startswith("/"):
            return _response("GET", 400, b"bad_request")
        if words[0] not in ("GET", "HEAD"):
            return _response("GET", 405, b"")
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        metadata = self.server.metadata
        handler = metadata.password if self.passwords else metadata.metadata
        return _response(words[0], *handler(self.guest, words[1], headers))


def _response(method: str, status: int, body: bytes) -> bytes:
    head = (
        f"HTTP/1.0 {status} {_REASONS[status]}\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (body if method == "GET" else b"")


class Server:
    """All in one thread: a guest that dawdles keeps nobody waiting, and a password goes out once."""

    def __init__(self, metadata: Metadata) -> None:
        self.metadata = metadata
        self.selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()

    def listen(self, address: str, port: int, passwords: bool) -> int:
        """Returns the port, which the system chooses for 0."""
        listening = socket.create_server((address, port), backlog=64)
        listening.setblocking(False)
        self.selector.register(
            listening, selectors.EVENT_READ, lambda events: self._accept(listening, passwords)
        )
        return int(listening.getsockname()[1])

    def _accept(self, listening: socket.socket, passwords: bool) -> None:
        try:
            accepted, peer = listening.accept()
        except OSError:
            return
        if sum(each.guest == peer[0] for each in self._connections) >= CONNECTIONS:
            accepted.close()
            return
        connection = Connection(self, accepted, peer[0], passwords)
        self._connections.add(connection)
        self.selector.register(accepted, selectors.EVENT_READ, connection.ready)

    def close(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self.selector.unregister(connection.socket)
        connection.socket.close()

    def turn(self) -> None:
        """Wait for something, and do it."""
        timeout = None
        if self._connections:
            timeout = max(0.0, min(each.until for each in self._connections) - time.monotonic())
        for key, events in self.selector.select(timeout):
            try:
                key.data(events)
            except Exception:
                traceback.print_exc()
                owner = getattr(key.data, "__self__", None)
                if isinstance(owner, Connection) and owner in self._connections:
                    self.close(owner)
        now = time.monotonic()
        for connection in [each for each in self._connections if each.until <= now]:
            self.close(connection)


def _address(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    return address, int(port)


def _become_daemon(log: str) -> None:
    """The caller's process ends well here: whoever waits for it knows that the sockets are open."""
    if os.fork():
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if log else nothing
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="metadata_server", description="Answers guests' questions about themselves."
    )
    parser.add_argument("--folder", required=True, help="a folder for each guest address")
    parser.add_argument("--listen", action="append", type=_address, default=[], metavar="ADDRESS:PORT")
    parser.add_argument("--passwords", action="append", type=_address, default=[], metavar="ADDRESS:PORT")
    parser.add_argument("--pid-file", default="")
    parser.add_argument("--log", default="", help="where errors go, once it is a daemon")
    parser.add_argument(
        "--daemon", action="store_true", help="go to the background when the sockets are open"
    )
    options = parser.parse_args(arguments)
    server = Server(Metadata(options.folder))
    for passwords, addresses in ((False, options.listen), (True, options.passwords)):
        for address, port in addresses:
            try:
                print(f"{address}:{server.listen(address, port, passwords)}", flush=True)
            except OSError as error:
                sys.exit(
                    f"metadata server: cannot listen on {address}:{port}: {os.strerror(error.errno or 0)}"
                )
    if options.daemon:
        _become_daemon(options.log)
    if options.pid_file:
        with open(options.pid_file, "w") as file:
            file.write(f"{os.getpid()}\n")
    while True:
        server.turn()


if __name__ == "__main__":
    main(sys.argv[1:])

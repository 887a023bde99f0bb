"""A PostgreSQL server of the tests' own: in a temporary folder, reached by a socket in it, with its disk's promises kept."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
_OWNER = "postgres"
_STARTS_WITHIN = 120.0


def missing() -> str | None:
    """What keeps a server from being run here, if anything does."""
    if not _PROGRAMS:
        return "PostgreSQL is not installed (Debian's package postgresql)"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "PostgreSQL's driver is not installed (cloudsim[postgres])"
    return None


class PostgresqlServer:
    """`start` and `kill` as often as wanted; `close` removes all of it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has 107 characters at most
        self._as_owner: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            owner = pwd.getpwnam(_OWNER)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as_owner = ["setpriv", f"--reuid={_OWNER}", f"--regid={owner.pw_gid}", "--clear-groups"]
        self.folder.chmod(0o755)
        self._data = self.folder / "data"
        self._made = 0
        self._server: subprocess.Popen[bytes] | None = None
        self._run("initdb", "--username=cloud", "--auth=trust", "--encoding=UTF8", "--no-locale", f"--pgdata={self._data}")
        self.start()

    def _run(self, program: str, *arguments: str) -> str:
        argv = [*self._as_owner, str(_PROGRAMS[-1] / program), *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", "max_connections=40"]
        options = [part for setting in settings for part in ("-c", setting)]
        argv = [*self._as_owner, str(_PROGRAMS[-1] / "postgres"), "-D", str(self._data), *options]
        with (self.folder / "log").open("ab") as log:
            end = time.monotonic() + _STARTS_WITHIN
            self._server = subprocess.Popen(argv, stdout=log, stderr=log, cwd="/")
            while True:
                with suppress(AssertionError):
                    self._run("pg_isready", "--quiet", f"--host={self.folder}", "--username=cloud", "--dbname=postgres")
                    return
                assert time.monotonic() < end, (self.folder / "log").read_text()
                time.sleep(0.05)
                if self._server.poll() is not None:  # children of one that was killed are still there
                    self._server = subprocess.Popen(argv, stdout=log, stderr=log, cwd="/")

    def kill(self) -> None:
        """End all of its processes as a power cut would: the next start recovers from its log."""
        assert self._server is not None
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()
        # Its children notice that they are alone, and go; until then a new server refuses the folder.

    def close(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)  # a fast shutdown
            self._server.wait(_STARTS_WITHIN)
        shutil.rmtree(self.folder)

    def url(self, name: str) -> str:
        return f"postgresql://cloud@/{name}?host={self.folder}"

    def execute(self, statement: str, name: str = "postgres") -> str:
        """Have the server do it, outside of a transaction; what it answers."""
        return self._run(
            "psql", "--quiet", "--tuples-only", "--no-align", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--host={self.folder}",
            "--username=cloud", f"--dbname={name}", f"--command={statement}",
        )  # fmt: skip

    def create(self, template: str = "template1") -> str:
        """The name of a new database that is a copy of the template."""
        self._made += 1
        name = f"cloud{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def connections(self, name: str) -> int:
        """How many clients that database has."""
        return int(self.execute(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"))

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A running one; raises what `missing` says as RuntimeError."""
    reason = missing()
    if reason is not None:
        raise RuntimeError(reason)
    server = PostgresqlServer()
    try:
        yield server
    finally:
        server.close()

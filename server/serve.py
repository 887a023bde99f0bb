"""`cloudsim serve`: a cloud on a simulated datacenter or on KVM hosts, behind the CloudStack API."""

from __future__ import annotations

import concurrent.futures
import logging
import os
import signal
import socket
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import click
import sqlalchemy as sa

from backends.simulated.datacenter import DatacenterError
from cloudsim.errors import CloudError
from cloudsim.model import User
from server.api.door import create_app, create_integration_app
from server.bootstrap import admin
from server.credentials import CredentialsError, Given
from server.data_folder import KINDS, SIMULATED, DataFolder, FolderError
from server.database import DatabaseInUse, load_rows, open_database
from server.demo.demo import Demo
from server.demo.story import StoryError, load_story
from server.greeting import greeting
from server.listening import HttpServer, bind, reached_at
from server.pacing import PaceType
from server.running import RunningCloud
from server.simulated_site import SimulatedSite
from server.site import Site, SiteError

log = logging.getLogger(__name__)

FINISH_WITHIN = 10.0
"""Seconds that running requests have when the server stops."""
_LOOPBACK = "127.0.0.1"
_CONSOLE_PORT, _CONSOLE_PORTS = 8088, 100
"""The first port that is tried for consoles, and how many are."""


class ServeError(Exception):
    """The cloud cannot be served; the text says why."""


class Ending:
    """When to stop, and why. Set by signals, by the cloud's threads, or by a future."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.failure: str | None = None
        self.asked = False

    def fail(self, reason: str) -> None:
        if self.failure is None:
            self.failure = reason
        self._event.set()

    def ask(self, number: int = 0, frame: object = None) -> None:
        """Stop in good order: a signal handler. The same signal once more ends the process at once."""
        self.asked = True
        if number:
            signal.signal(number, signal.SIG_DFL)
        self._event.set()

    def wait_for(self, future: concurrent.futures.Future[None]) -> bool:
        """Wait until the future is done, or for the end; whether to go on. Raises what the future raises."""
        future.add_done_callback(lambda _: self._event.set())
        self._event.wait()
        if self.failure is not None or self.asked:
            return False
        self._event.clear()
        future.result()
        return not (self.asked or self.failure)

    def wait(self) -> None:
        if not (self.asked or self.failure):
            self._event.wait()


def postgresql_url(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """The value, if it is a URL of PostgreSQL."""
    if value is None:
        return None
    try:
        kind = sa.make_url(value).get_backend_name()
    except sa.exc.ArgumentError:
        kind = ""
    if kind != "postgresql":
        raise click.BadParameter("expected a URL such as postgresql://USER:PASSWORD@HOST:PORT/NAME", param=option)
    return value


@click.command("serve")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    help="Simulated hosts, or real ones on which agents run; for the first start [default: simulated].",
)
@click.option(
    "--datacenter",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What to simulate, for the first start [default: one zone of 16 hosts]. See examples/datacenters.",
)
@click.option(
    "--demo",
    is_flag=True,
    help="For the first start: three zones, 60 hosts, accounts, some hundred instances and a day of history.",
)
@click.option(
    "--pace",
    type=PaceType(),
    default="real",
    show_default=True,
    help="How fast time goes. max: as fast as possible while there is work, else real.",
)
@click.option(
    "--latency", default="default", show_default=True, help="Simulated: how long things take, a name or a file."
)
@click.option(
    "--results",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Simulated: a folder of results of `cloudsim run` and `compare`, to be shown.",
)
@click.option(
    "--agents-host", default="0.0.0.0", show_default=True, help="KVM: the address to listen at for agents."
)
@click.option(
    "--agents-port",
    type=click.IntRange(0, 65535),
    default=8250,
    show_default=True,
    help="KVM: the port for agents. 0 takes a free one.",
)
@click.option(
    "--agents-name",
    multiple=True,
    help="KVM: a name or address by which agents reach this machine, beside those that it has. Repeatable.",
)
@click.option(
    "--command-log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append every command to a host, and its answer, to this file, a line of JSON each.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Where the cloud is kept.",
)
@click.option(
    "--database",
    envvar="CLOUDSIM_DATABASE",
    callback=postgresql_url,
    help="For the first start: keep the cloud's state in PostgreSQL, postgresql://USER@HOST/NAME, instead of SQLite in "
    "the data folder. A second manager of it waits, to take over.",
)
@click.option("--host", default=_LOOPBACK, show_default=True, help="The address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one."
)
@click.option(
    "--integration-port",
    type=click.IntRange(0, 65535),
    help="Also answer the API without authentication, to this machine only. Off by default.",
)
@click.option(
    "--console-port",
    type=click.IntRange(0, 65535),
    help=f"Simulated: the port for consoles of instances [default: {_CONSOLE_PORT}, or the next that is free].",
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def serve_command(
    kind: str | None,
    datacenter: Path | None,
    demo: bool,
    pace: float,
    latency: str,
    results: Path | None,
    agents_host: str,
    agents_port: int,
    agents_name: tuple[str, ...],
    command_log: Path | None,
    data: Path,
    database: str | None,
    host: str,
    port: int,
    integration_port: int | None,
    console_port: int | None,
    verbose: bool,
) -> None:
    """Run a cloud on a simulated datacenter or on KVM hosts: its API, its state in a folder or in PostgreSQL.

    The first start makes the cloud and its admin; a later one goes on where it stopped. CLOUDSIM_ADMIN_PASSWORD,
    CLOUDSIM_ADMIN_API_KEY and CLOUDSIM_ADMIN_SECRET_KEY, at the first start, say what the admin logs in with.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    os.umask(0o077)  # what is kept holds secrets
    ending = Ending()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ending.ask)
    try:
        given = Given.of(os.environ)
        bound = _bind(host, port)
        trusted = None if integration_port is None else _bind(_LOOPBACK, integration_port)
        folder = _folder(data)
        where = folder.database_at(database)
        try:
            engine = open_database(where, lambda: not ending.asked)
        except DatabaseInUse:
            if ending.asked:  # while it waited to take over
                return
            raise
        try:
            folder.keep_database(where)
            is_new = next(iter(load_rows(engine)), None) is None
            chosen = folder.kind(kind, is_new=is_new)
            told = demo and is_new and chosen == SIMULATED and datacenter is None
            story: Demo | None = None
            site: Site
            if chosen == SIMULATED:
                described = folder.datacenter(datacenter, is_new=is_new, demo=told)
                story = Demo(load_story(), folder.path) if told else None
                site = SimulatedSite(
                    described,
                    pace,
                    latency,
                    _bind_consoles(host, console_port),
                    story,
                    experiments=folder.path / "experiments",
                    results=results,
                    authority=folder.agents_ca,
                )
            else:
                site = _kvm_site(folder, datacenter, agents_host, agents_port, agents_name)
            cloud = RunningCloud(engine, site, ending.fail, None if story is None else story.story.seed)
            with ExitStack() as stack:
                cloud.run_programs(folder.extensions, folder.path / "payloads")
                if command_log is not None:
                    cloud.log_commands(stack.enter_context(command_log.open("ab", buffering=0)))
                _serve(cloud, folder, given, host, bound, trusted, ending)
        finally:
            engine.dispose()
    except CloudError as error:
        raise click.ClickException(error.text) from error
    except (CredentialsError, DatacenterError, FolderError, ServeError, SiteError, StoryError) as error:
        raise click.ClickException(str(error)) from error
    if ending.failure is not None:
        raise click.ClickException(ending.failure)


def _kvm_site(
    folder: DataFolder, datacenter: Path | None, host: str, port: int, names: tuple[str, ...]
) -> Site:
    from server.kvm_site import KvmSite  # TLS and certificates: nothing that a simulated cloud needs

    if datacenter is not None:
        raise ServeError("--datacenter describes simulated hosts; real ones add themselves")
    return KvmSite(folder.agents_ca, host, port, names)


def _bind(host: str, port: int) -> socket.socket:
    try:
        return bind(host, port)
    except OSError as error:
        raise ServeError(f"cannot listen at {host}, port {port}: {error.strerror or error}") from error


def _bind_consoles(host: str, port: int | None) -> socket.socket:
    """It listens at once: a port is not taken for good before, and another server may be looking for one, too."""
    if port is None:
        for candidate in range(_CONSOLE_PORT, _CONSOLE_PORT + _CONSOLE_PORTS):
            with suppress(OSError):
                bound = bind(host, candidate)
                bound.listen()
                return bound
    bound = _bind(host, port or 0)
    bound.listen()
    return bound


def _folder(path: Path) -> DataFolder:
    try:
        return DataFolder(path)
    except OSError as error:
        raise ServeError(f"cannot keep the cloud in {path}: {error.strerror}") from error


def _serve(
    cloud: RunningCloud,
    folder: DataFolder,
    given: Given,
    host: str,
    bound: socket.socket,
    trusted: socket.socket | None,
    ending: Ending,
) -> None:
    """Serve the cloud until the end, and leave it as a later start wants to find it."""
    url = _url(bound)
    endpoint = f"{url}/client/api"
    password = given.first_password(host)
    servers: list[HttpServer] = []

    def hand_over(user: User) -> None:
        folder.handover.write(endpoint, user, password)

    try:
        if not ending.wait_for(cloud.begin(password, given.keys, hand_over)):
            return
        if not cloud.is_new:
            folder.handover.renew(endpoint, admin(cloud.manager), cloud.manager.identity.users.passwords)
        public = create_app(cloud.manager, cloud.loop, dispatcher=cloud.dispatcher)
        largest = cloud.site.extend(public, url)
        servers.append(HttpServer(public, bound, largest=largest))
        if trusted is not None:
            app = create_integration_app(cloud.manager, cloud.loop, dispatcher=cloud.dispatcher)
            servers.append(HttpServer(app, trusted))
        for server in servers:
            server.start()
        for line in greeting(cloud, folder, url, given, None if trusted is None else _url(trusted)):
            click.echo(line)
        ending.wait()
    finally:
        if servers and not all([server.stop(FINISH_WITHIN) for server in servers]):
            log.warning("some requests did not end within %g seconds", FINISH_WITHIN)
        well = cloud.stop()
    if not well:
        ending.fail("the cloud did not stop as it should, see above")
    if ending.failure is None:
        click.echo("Stopped. The cloud is kept, and goes on with the next start.")


def _url(bound: socket.socket) -> str:
    """Where a client on this machine, if the address is any, reaches the socket."""
    host, port = reached_at(bound)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

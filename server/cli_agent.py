"""`cloudsim agent`: the agent of a real host, how it joins, and what the manager's operator does about agents."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from backends.wire.agent_process import AgentError, check_enrolled, run_agent
from backends.wire.authority import Authority
from backends.wire.enrolment import EnrolmentError, enrol
from backends.wire.identity import Identity
from server.agents.options import AgentOptions, OptionsError, agent_options

AUTHORITY = "agents-ca"
"""The folder of the certificate authority in that of the cloud."""
AGENT_FOLDER = Path("/var/lib/cloudsim-agent")
CLOUD_FOLDER = Path("data")

_agents_folder = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=AGENT_FOLDER,
    show_default=True,
    help="Where the agent keeps its certificate and what it has done.",
)
_clouds_folder = click.option(
    "--data",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=CLOUD_FOLDER,
    show_default=True,
    help="Where the cloud is kept, as for `cloudsim serve`.",
)
_verbose = click.option("-v", "--verbose", is_flag=True, help="Log more.")


@click.group("agent", invoke_without_command=True)
@agent_options
@_agents_folder
@_verbose
@click.pass_context
def agent_command(context: click.Context, /, data: Path, verbose: bool, **options: Any) -> None:
    """Run the agent of this host, which does what the management server says through libvirt.

    Once before, `cloudsim agent setup` gets its certificate. Every option may also stand in DATA/agent.yaml; the
    command line wins. Instances run on when the agent stops.
    """
    if context.invoked_subcommand is None:
        _run(data, verbose, options)
    elif any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in context.params):
        raise click.UsageError(f"options go after `{context.invoked_subcommand}`")


@agent_command.command("run")
@agent_options
@_agents_folder
@_verbose
def run_command(data: Path, verbose: bool, **options: Any) -> None:
    """The same as `cloudsim agent` without a command."""
    _run(data, verbose, options)


def _run(data: Path, verbose: bool, options: dict[str, Any]) -> None:
    _begin(verbose)
    identity = Identity(data)
    try:
        check_enrolled(identity)
        run_agent(AgentOptions(**options).over(AgentOptions.kept(data)).settings(identity))
    except (AgentError, OptionsError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@agent_command.command("setup")
@click.option("--token", required=True, help="From `cloudsim agent token` on the management server.")
@agent_options
@_agents_folder
@_verbose
def setup_command(token: str, data: Path, verbose: bool, **options: Any) -> None:
    """Get this host its certificate, and keep the options for `cloudsim agent`.

    Again is no error: with a new token the same agent gets a new certificate.
    """
    _begin(verbose)
    identity = Identity(data)
    try:
        said = AgentOptions(**options).over(AgentOptions.kept(data)).with_defaults()
        assert said.name is not None and said.private_ip is not None
        asyncio.run(enrol(said.manager_url(), token, identity, said.name, said.private_ip))
        said.keep(data)
        guid = identity.guid
    except (EnrolmentError, OptionsError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Host {said.name} at {said.private_ip} is agent {guid}.")
    if said.place() is None:
        click.echo(
            f"Start it with `cloudsim agent --data {data}`, then add it by addHost, url=http://{said.private_ip}"
        )
    else:
        click.echo(
            f"Start it with `cloudsim agent --data {data}`; it joins cluster {said.cluster} by itself."
        )


@agent_command.command("token")
@click.option(
    "--ttl",
    type=click.IntRange(1),
    default=3600,
    show_default=True,
    metavar="S",
    help="Good for so many seconds.",
)
@_clouds_folder
def token_command(ttl: int, data: Path) -> None:
    """Print a token with which one new host may join the cloud, once."""
    click.echo(_authority(data).create_token(ttl))


@agent_command.command("list")
@_clouds_folder
def list_command(data: Path) -> None:
    """List the agents' certificates."""
    authority = _authority(data)
    revoked, now = authority.revoked(), time.time()
    rows = [("GUID", "NAME", "ADDRESS", "UNTIL", "STATE")]
    for note in authority.issued():
        state = "revoked" if note.serial in revoked else "ended" if note.not_after < now else "good"
        until = time.strftime("%Y-%m-%d", time.gmtime(note.not_after))
        rows.append((note.guid, note.name, note.address, until, state))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@agent_command.command("revoke")
@click.argument("guid")
@_clouds_folder
def revoke_command(guid: str, data: Path) -> None:
    """Take an agent's certificates back: it is disconnected within seconds, and does not get in again."""
    count = _authority(data).revoke(guid)
    if not count:
        raise click.ClickException(f"agent {guid} has no certificate that is good")
    click.echo(f"Agent {guid}: {count} certificate{'s' if count > 1 else ''} revoked.")


def _authority(data: Path) -> Authority:
    try:
        return Authority(data / AUTHORITY)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{data / AUTHORITY} cannot be used: {error}") from error


def _begin(verbose: bool) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("websockets").setLevel(logging.INFO if verbose else logging.WARNING)

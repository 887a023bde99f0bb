"""`cloudsim lab`: real hosts on this machine, with a cloud on them, and faults to try."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import click

from backends.images.errors import ImageError
from backends.lab.errors import LabError
from backends.lab.hosts import LabHost
from backends.lab.lab import MOST_HOSTS, Lab, sweep_by_name
from backends.lab.state import FILE as STATE
from server.lab.building import CloudPlan, build_cloud, restart_manager
from server.lab.client import ApiError
from server.lab.status import greeting, host_of, left, status

FOLDER = Path("lab-data")
_ERRORS = (LabError, ApiError, ImageError, OSError)
_VIRSH = ("virsh", "--connect", "qemu:///system")


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong is told in a line."""
    try:
        yield
    except _ERRORS as error:
        raise click.ClickException(str(error)) from error


def _lab_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How the commands find the lab."""
    data = click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help=f"The lab's folder [default: that of the lab of this name, or ./{FOLDER}].",
    )
    name = click.option("--name", help="The lab's name [default: that of the folder, or lab].")
    return data(name(command))


def _found(data: Path | None, name: str | None) -> Lab:
    """The lab that is meant: in that folder, or up under that name, or in the usual folder."""
    if data is not None:
        return Lab(data, name)
    if name is not None:
        return Lab.named(name)
    if (FOLDER / STATE).exists():
        return Lab(FOLDER)
    return Lab.named("lab")


def _host(data: Path | None, name: str | None, number: int) -> LabHost:
    return _found(data, name).host(number)


@click.group("lab")
def lab_command() -> None:
    """Real libvirt hosts on this machine, each in namespaces of its own, with a cloud on them. Needs root."""


@lab_command.command("up")
@click.option("--hosts", type=click.IntRange(1, MOST_HOSTS), default=3, show_default=True, help="How many.")
@click.option("--name", help="Of the lab; several can be up [default: that of the folder's last lab, or lab].")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Everything lies there: disks, logs, the cloud.",
)
@click.option("--zone", default="lab", show_default=True, help="What the zone is called.")
@click.option("--emulate/--no-emulate", help="Do without KVM even where it works. It is left out where it does not.")
@click.option("--memory", type=click.IntRange(1), metavar="MIB", help="Of each host [default: as the machine].")
@click.option("--cpus", type=click.IntRange(1), help="Of each host [default: as the machine].")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Of the API.")
@click.option(
    "--template",
    type=click.Choice(["mini", "none"]),
    default="mini",
    show_default=True,
    help="What instances can be made of.",
)
@click.option(
    "--routers",
    type=click.Choice(["machine", "namespace", "none"]),
    default="machine",
    show_default=True,
    help="Virtual machines, namespaces on the hosts, or no public network: hosts serve their own instances.",
)
@click.option("--no-cloud", is_flag=True, help="Only hosts: no management server, no agents.")
@click.option("--keep-failed", is_flag=True, help="Leave what there is if it fails, for a look.")
def up_command(
    hosts: int,
    name: str | None,
    data: Path,
    zone: str,
    emulate: bool,
    memory: int | None,
    cpus: int | None,
    port: int,
    template: str,
    routers: Literal["machine", "namespace", "none"],
    no_cloud: bool,
    keep_failed: bool,
) -> None:
    """Make the hosts, a management server and a zone, and say how to use them."""
    plan = CloudPlan(
        hosts=hosts,
        zone=zone,
        port=port,
        emulate=emulate,
        memory_mib=memory,
        cpus=cpus,
        template=None if template == "none" else template,
        routers=routers,
    )
    with _told():
        lab = Lab(data, name)
        began = time.monotonic()

        def say(text: str) -> None:
            click.echo(f"{time.monotonic() - began:6.1f} s  {text}", err=True)

        if no_cloud:
            lab.up(hosts)
        else:
            _build(lab, plan, say, keep_failed)
        say("up")
        for line in status(lab) if no_cloud else greeting(lab):
            click.echo(line)


def _build(lab: Lab, plan: CloudPlan, say: Callable[[str], None], keep_failed: bool) -> None:
    try:
        build_cloud(lab, plan, say)
    except BaseException:
        # Not what was up before, and is the reason why this failed.
        if lab.was_made_here and not keep_failed:
            say(f"failed; it is taken away, but for the logs in {lab.logs}")
            lab.down()
        raise


@lab_command.command("down")
@_lab_options
@click.option("--keep", is_flag=True, help="Leave disks and the cloud's data in the folder.")
def down_command(data: Path | None, name: str | None, keep: bool) -> None:
    """Take it all away, whatever state it is in. Again is no error. Logs stay."""
    with _told():
        if data is not None and name is None and not (data / STATE).exists():
            raise LabError(f"no lab is in {data}")
        try:
            lab = _found(data, name)
        except LabError:
            if data is not None:
                raise
            name = name or "lab"  # nothing is known of it, but something may be there
            sweep_by_name(name)
        else:
            lab.down(keep=keep)
            name = lab.name
        click.echo(f"Lab {name} is down; nothing of it is left on this machine.")


@lab_command.command("status")
@_lab_options
def status_command(data: Path | None, name: str | None) -> None:
    """Show hosts, processes, instances, and what is left over of a lab that is not up."""
    with _told():
        try:
            lab = _found(data, name)
        except LabError as error:
            click.echo(error)
            for line in left(name or "lab"):
                click.echo(line)
            return
        for line in status(lab):
            click.echo(line)


@lab_command.command("exec", context_settings={"ignore_unknown_options": True})
@_lab_options
@click.argument("host", type=int)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(data: Path | None, name: str | None, host: int, command: tuple[str, ...]) -> None:
    """Run a command inside a host, from its folder /."""
    with _told():
        argv = _host(data, name, host).entering(command)
        os.execvp(argv[0], argv)


@lab_command.command("kill-host")
@_lab_options
@click.argument("host", type=int)
def kill_command(data: Path | None, name: str | None, host: int) -> None:
    """Cut a host's power: all that runs on it is gone at once."""
    with _told():
        _host(data, name, host).kill()


@lab_command.command("power-on")
@_lab_options
@click.argument("host", type=int)
def power_on_command(data: Path | None, name: str | None, host: int) -> None:
    """Boot a host with the disks and the identity that it had."""
    with _told():
        _host(data, name, host).power_on()


@lab_command.command("cut-link")
@_lab_options
@click.option("--for", "seconds", type=click.FloatRange(0), metavar="S", help="Mend it after so many seconds.")
@click.argument("host", type=int)
def cut_command(data: Path | None, name: str | None, seconds: float | None, host: int) -> None:
    """Pull a host's cables out of the switches."""
    with _told():
        found = _host(data, name, host)
        found.cut_link()
        if seconds is not None:
            try:
                time.sleep(seconds)
            finally:
                found.restore_link()


@lab_command.command("restore-link")
@_lab_options
@click.argument("host", type=int)
def restore_command(data: Path | None, name: str | None, host: int) -> None:
    """Plug a host's cables in again."""
    with _told():
        _host(data, name, host).restore_link()


@lab_command.command("freeze")
@_lab_options
@click.argument("host", type=int)
def freeze_command(data: Path | None, name: str | None, host: int) -> None:
    """Let nothing run on a host, as if it hung."""
    with _told():
        _host(data, name, host).freeze()


@lab_command.command("thaw")
@_lab_options
@click.argument("host", type=int)
def thaw_command(data: Path | None, name: str | None, host: int) -> None:
    """Let a frozen host go on."""
    with _told():
        _host(data, name, host).thaw()


@lab_command.command("supervise")
@_lab_options
@click.argument("host", type=int)
@click.argument("switch", type=click.Choice(["on", "off"]))
def supervise_command(data: Path | None, name: str | None, host: int, switch: str) -> None:
    """Whether a host's libvirtd and agent are started again when they fail."""
    with _told():
        _host(data, name, host).supervise(switch == "on")


@lab_command.command("restart-manager")
@_lab_options
def restart_manager_command(data: Path | None, name: str | None) -> None:
    """Kill the management server without a warning, and start it again."""
    with _told():
        restart_manager(_found(data, name))


@lab_command.command("screenshot")
@_lab_options
@click.argument("instance")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def screenshot_command(data: Path | None, name: str | None, instance: str, file: Path) -> None:
    """Write what an instance shows on its screen to a PNG file."""
    with _told():
        lab = _found(data, name)
        host, domain = host_of(lab, instance)
        taken = f"/run/{domain}.screenshot"
        host.exec([*_VIRSH, "screenshot", domain, taken])
        try:
            found = Path(f"/proc/{host.init}/root{taken}").read_bytes()
        finally:
            host.exec(["rm", "-f", taken])
        file.write_bytes(found)
        click.echo(f"{domain} on {host.name}: {file}")


@lab_command.command("console")
@_lab_options
@click.argument("instance")
def console_command(data: Path | None, name: str | None, instance: str) -> None:
    """Open an instance's serial console; Ctrl-] leaves it."""
    with _told():
        host, domain = host_of(_found(data, name), instance)
        if not sys.stdin.isatty():
            raise LabError("a console needs a terminal")
        argv = host.entering([*_VIRSH, "console", domain])
        os.execvp(argv[0], argv)

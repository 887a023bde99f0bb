"""`cloudsim image build`: disk images for real hosts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from backends.images import debian, mini, systemvm
from backends.images.cache import default_folder
from backends.images.errors import ImageError

_UNITS = {"M": 1, "G": 1 << 10, "T": 1 << 20}


class _Size(click.ParamType[int]):
    """A size as qemu-img takes it, such as 512M or 2G; in MiB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([1-9][0-9]*)([MGT])", str(value))
        if not match:
            self.fail(f"{value!r} is no size: a number and M, G or T, such as 2G", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


def _places(command: Callable[..., None]) -> Callable[..., None]:
    """The options that every kind of image has."""
    path = click.Path(dir_okay=False, path_type=Path)
    folder = click.Path(file_okay=False, path_type=Path)
    shown = "~/.cache/cloudsim/images"
    out = click.option("--out", type=path, help="Write the image there too [default: only into the cache].")
    cache = click.option("--cache", type=folder, help=f"Keep packages and images there [default: {shown}].")
    return out(cache(command))


_password = click.option(
    "--password", default="password", show_default=True, help="Root's, on the consoles; '' lets nobody in."
)


@click.group("image")
def image_command() -> None:
    """Build disk images (templates) for real hosts."""


@image_command.group("build")
def build_command() -> None:
    """Build an image, or find it in the cache, and print where it is."""


@build_command.command("mini")
@_places
@_password
@click.option("--autologin", is_flag=True, help="Consoles show a root shell at once. For tests only.")
@click.option(
    "--ssh-key",
    "ssh_keys",
    type=click.File(),
    multiple=True,
    help="A public key that may log in as root, besides those that the cloud brings.",
)
@click.option("--size", type=_Size(), default="64M", show_default=True, help="The disk's size.")
def mini_command(
    out: Path | None, cache: Path | None, password: str, autologin: bool, ssh_keys: tuple[Any, ...], size: int
) -> None:
    """A small guest for tests: it starts in seconds, and needs 96 MiB of memory."""
    keys = tuple(line.strip() for file in ssh_keys for line in file if line.strip())
    options = mini.MiniOptions(password=password, autologin=autologin, ssh_keys=keys, size_mib=size)
    _show(lambda: mini.build(out, cache or default_folder(), options))


@build_command.command("debian")
@_places
@_password
@click.option(
    "--size", type=_Size(), default="2G", show_default=True, help="The disk's size; the root can grow."
)
@click.option("--release", default="bookworm", show_default=True, help="Debian's code name of it.")
def debian_command(out: Path | None, cache: Path | None, password: str, size: int, release: str) -> None:
    """A whole Debian with systemd, cloud-init and QEMU's guest agent. Takes minutes."""
    options = debian.DebianOptions(password=password, size_mib=size, release=release)
    _show(lambda: debian.build(out, cache or default_folder(), options))


@build_command.command("systemvm")
@_places
@click.option("--password", default="", help="Root's, on the consoles [default: none, and nobody logs in].")
@click.option("--size", type=_Size(), default="192M", show_default=True, help="The disk's size.")
@click.option(
    "--ui",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="The folder ui of the sources, after `make console-assets` [default: beside the program's own].",
)
def systemvm_command(out: Path | None, cache: Path | None, password: str, size: int, ui: Path | None) -> None:
    """What virtual routers, console proxies and secondary storage VMs are made of."""
    options = systemvm.SystemVmOptions(password=password, size_mib=size)
    _show(lambda: systemvm.build(out, cache or default_folder(), options, ui))


def _show(build: Callable[[], Path]) -> None:
    began = time.monotonic()
    try:
        image = build()
    except ImageError as error:
        raise click.ClickException(str(error)) from error
    size = image.stat().st_size / (1 << 20)
    click.echo(f"{size:.0f} MiB, {time.monotonic() - began:.1f} s", err=True)
    click.echo(image)

"""The debian template."""

from __future__ import annotations

import io
import stat
import tarfile
import time
from pathlib import Path

import pytest

from backends.images.debian import DebianOptions, build
from backends.images.debian.archive import read_archive
from backends.images.debian.build import TOOLS
from backends.images.debian.sources import of_release, sources
from backends.images.errors import ImageError
from backends.images.tools import require
from tests.backends.images.guest import Guest, config_drive, overlay, require_qemu

TARGETS = """\
Debian|bookworm|bookworm|main|http://mirror.example/debian/|amd64
Debian|bookworm|bookworm|contrib|http://mirror.example/debian/|amd64
Debian|bookworm-updates|bookworm-updates|main|http://mirror.example/debian/|amd64
Debian|bookworm-security|bookworm-security|main|http://mirror.example/debian-security/|amd64
Debian|bookworm|bookworm|main|http://mirror.example/debian/|amd64
Node Source|nodistro|nodistro|main|https://other.example/node/|amd64
"""


def test_the_mirrors_are_those_of_this_machine_without_doubles() -> None:
    assert [str(source) for source in of_release(TARGETS, "bookworm")] == [
        "deb http://mirror.example/debian/ bookworm main",
        "deb http://mirror.example/debian/ bookworm-updates main",
        "deb http://mirror.example/debian-security/ bookworm-security main",
    ]


def test_another_release_comes_from_the_same_mirrors() -> None:
    assert [source.suite for source in of_release(TARGETS, "trixie")] == [
        "trixie",
        "trixie-updates",
        "trixie-security",
    ]


def test_a_machine_without_a_mirror_of_debian_is_told_so() -> None:
    with pytest.raises(ImageError, match="no mirror of Debian"):
        of_release("Ubuntu|noble|noble|main|http://mirror.example/ubuntu/|amd64\n", "bookworm")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (DebianOptions(size_mib=512), "1 GiB to 1 TiB, not 512 MiB"),
        (DebianOptions(release="book worm"), "'book worm' is no code name"),
        (DebianOptions(password="a\nb"), "is one line"),
    ],
)
def test_wrong_options_are_refused_at_once(tmp_path: Path, options: DebianOptions, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        build(None, tmp_path, options)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_keeps_owners_times_links_and_capabilities(tmp_path: Path) -> None:
    path = tmp_path / "system.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:

        def add(name: str, kind: bytes, data: bytes = b"", **fields: object) -> None:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.mode = kind, len(data), 0o755
            for field, value in fields.items():
                setattr(member, field, value)
            archive.addfile(member, io.BytesIO(data))

        add("./", tarfile.DIRTYPE)
        capability = b"\x01\x00\x00\x02\x00\x20".decode("utf-8", "surrogateescape")
        pax = {"SCHILY.xattr.security.capability": capability}
        add("./usr/bin/ping", tarfile.REGTYPE, b"ELF", uid=7, gid=8, mtime=1_600_000_000, pax_headers=pax)
        add("./usr/bin/ping4", tarfile.LNKTYPE, linkname="./usr/bin/ping")
        add("./bin", tarfile.SYMTYPE, linkname="usr/bin")
        add("./dev/null", tarfile.CHRTYPE, devmajor=1, devminor=3)
        add("./dev", tarfile.DIRTYPE)
    tree = read_archive(path, tmp_path / "content")
    ping = tree["usr/bin/ping"]
    assert (ping.read(), ping.user, ping.group, ping.time) == (b"ELF", 7, 8, 1_600_000_000)
    assert ping.attributes == (("security.capability", b"\x01\x00\x00\x02\x00\x20"),)
    assert tree["usr/bin/ping4"].is_hard_link and tree["usr/bin/ping4"].target == "usr/bin/ping"
    assert stat.S_ISLNK(tree["bin"].mode) and tree["bin"].target == "usr/bin"
    assert "dev" in tree and "dev/null" not in tree


@pytest.mark.lab
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_debian_boots_grows_runs_its_user_data_and_shuts_down(tmp_path: Path) -> None:
    try:
        require(TOOLS)
        sources(DebianOptions().release)
    except ImageError as error:
        pytest.skip(str(error))
    require_qemu()
    image = build(None, tmp_path / "cache")
    script = (
        '#!/bin/sh\necho "grown to $(df -m --output=size / | tail -n 1) MiB on $(hostname)" >/dev/ttyS0\n'
    )
    drive = config_drive(tmp_path, "deb-1", script)
    with Guest(tmp_path, overlay(image, tmp_path, "4G"), drive, memory=512) as guest:
        grown = guest.wait_for(r"grown to\s+(\d+) MiB on deb-1", 900)
        assert int(grown[1]) > 3000
        guest.rewind()
        guest.wait_for("deb-1 login:", 400)
        time.sleep(1)
        guest.power_button()
        guest.wait_for_end(240)

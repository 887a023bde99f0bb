from __future__ import annotations

import asyncio
import bz2
import gzip
import hashlib
import http.server
import io
import lzma
import os
import struct
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from backends.libvirt import downloads
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import ImageSpec
from tests.backends.libvirt.storage_bench import MIB, StorageBench, content, make_image, qemu_img


@pytest.fixture
def bench(tmp_path: Path) -> StorageBench:
    return StorageBench(tmp_path)


class Site:
    """A web server. `files` are what it serves; /to/<n>/<path> redirects n times; /slow/<path> stops half way until
    `go`; /short/<path> breaks off; `asked` counts requests."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        self.go = threading.Event()
        self.half = threading.Event()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                _, kind, rest = self.path.split("/", 2) if self.path.count("/") > 1 else ("", "", self.path[1:])
                if kind == "to":
                    count, path = rest.split("/", 1)
                    self.send_response(302)
                    self.send_header("Location", f"/{path}" if count == "1" else f"/to/{int(count) - 1}/{path}")
                    self.end_headers()
                    return
                if kind == "elsewhere":
                    self.send_response(302)
                    self.send_header("Location", rest)
                    self.end_headers()
                    return
                body = site.files.get(rest)
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                length = site.headers.get("Content-Length", str(len(body)))
                self.send_header("Content-Length", length)
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                if kind == "slow":
                    site.half.set()
                    site.go.wait(10)
                if kind != "short":
                    self.wfile.write(body[len(body) // 2 :])

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda request, client: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.go.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    """A qcow2 image of 8 MiB whose first MiB is of the byte 7."""
    make_image(tmp_path / "made", 8 * MIB, b"\7" * MIB)
    return (tmp_path / "made").read_bytes()


def fetch(
    bench: StorageBench, url: str, format: str = "QCOW2", checksum: str | None = None
) -> tuple[str, int, str | None]:
    return bench.do(bench.host.download_template("t", url, bench.store_url, format, checksum))


def refused(
    bench: StorageBench, url: str, text: str, format: str = "QCOW2", checksum: str | None = None
) -> None:
    with pytest.raises(HypervisorError, match=text):
        fetch(bench, url, format, checksum)
    assert bench.in_store() == [], "and nothing is left"


def test_a_template_is_fetched_with_its_virtual_size_and_checksum(
    bench: StorageBench, site: Site, image: bytes
) -> None:
    site.files["debian.qcow2"] = image
    digest = hashlib.sha256(image).hexdigest()
    found = fetch(bench, f"{site.url}/debian.qcow2")
    assert found == ("templates/t.qcow2", 8 * MIB, f"{{SHA-256}}{digest}")
    file = bench.store / "templates/t.qcow2"
    assert file.read_bytes() == image
    assert file.stat().st_mode & 0o777 == 0o644, "other hosts read it"
    assert bench.in_store() == ["templates/t.qcow2"]


@pytest.mark.parametrize(
    ("algorithm", "form"),
    [("md5", "{}"), ("md5", "{{MD5}}{}"), ("sha1", "{{SHA-1}}{}"), ("sha256", "{}"), ("sha512", "{{SHA-512}}{}")],
)
def test_the_checksum_asked_for_decides_the_algorithm(
    bench: StorageBench, site: Site, image: bytes, algorithm: str, form: str
) -> None:
    site.files["t"] = image
    right = hashlib.new(algorithm, image).hexdigest()
    refused(bench, f"{site.url}/t", "has the checksum .* instead of", checksum=form.format("0" * len(right)))
    _, _, found = fetch(bench, f"{site.url}/t", checksum=form.format(right.upper()))
    assert found is not None and found.endswith(f"}}{right}")
    bench.do(bench.host.copy_template(ImageSpec(bench.store_url, "templates/t.qcow2", 1, checksum=found), "P", "t"))


@pytest.mark.parametrize("checksum", ["{MD4}0123", "xyz", "abc", "{SHA-256}" + "0" * 32])
def test_what_is_no_checksum_is_refused_before_anything_is_fetched(
    bench: StorageBench, site: Site, checksum: str
) -> None:
    refused(bench, f"{site.url}/t", "is no checksum", checksum=checksum)
    assert site.asked == []


def _zip(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("t.qcow2.gz", gzip.compress),
        ("t.qcow2.bz2", bz2.compress),
        ("t.qcow2.xz", lzma.compress),
        ("t.zip", lambda data: _zip("t.qcow2", data)),
        ("parts.gz", lambda data: gzip.compress(data[:1000]) + gzip.compress(data[1000:]) + bytes(512)),
    ],
)
def test_packed_templates_are_unpacked_and_verified_ever_after(
    bench: StorageBench, site: Site, image: bytes, name: str, pack: Any
) -> None:
    packed = site.files[name] = pack(image)
    digest = hashlib.sha512(packed).hexdigest()
    path, size, found = fetch(bench, f"{site.url}/{name}", checksum=digest)
    assert (path, size, found) == ("templates/t.qcow2", 8 * MIB, f"{{SHA-512}}{digest}"), "that of the packed file"
    assert (bench.store / path).read_bytes() == image
    spec = ImageSpec(bench.store_url, path, size, "QCOW2", found)
    bench.do(bench.host.copy_template(spec, "P", "t"))
    with (bench.store / path).open("r+b") as file:
        file.seek(0x50010)
        file.write(b"damage")
    with pytest.raises(HypervisorError, match="template u in secondary storage is damaged"):
        bench.do(bench.host.copy_template(spec, "P", "u"))
    bench.do(bench.host.delete_image(spec))
    bench.do(bench.host.delete_image(spec))
    assert bench.in_store() == []


def test_what_cannot_be_unpacked_is_refused(bench: StorageBench, site: Site, image: bytes) -> None:
    site.files["cut.gz"] = gzip.compress(image)[:-100]
    site.files["bad.xz"] = lzma.compress(image)[:50] + bytes(1000)
    two = io.BytesIO()
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a", image)
        archive.writestr("b", image)
    site.files["two.zip"] = two.getvalue()
    refused(bench, f"{site.url}/cut.gz", "cannot be unpacked as gzip: the end is missing")
    refused(bench, f"{site.url}/bad.xz", "cannot be unpacked as xz")
    refused(bench, f"{site.url}/two.zip", "a zip archive of 2 files, not of one")


def test_a_small_file_that_unpacks_to_more_than_fits_is_stopped(
    bench: StorageBench, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["bomb.gz"] = gzip.compress(b"QFI\xfb" + b"x" * 64 * MIB)
    real = os.statvfs

    class Small:
        def __init__(self, folder: Any) -> None:
            found = real(folder)
            self.f_frsize, self.f_blocks, self.f_bavail, self.f_bfree = 1, found.f_blocks, 8 * MIB, 8 * MIB

    monkeypatch.setattr("backends.libvirt.transfer.os.statvfs", Small)
    refused(bench, f"{site.url}/bomb.gz", "secondary storage file:.* is full: cannot download .*bytes came")


def test_a_file_larger_than_the_room_is_not_begun(
    bench: StorageBench, site: Site, image: bytes
) -> None:
    site.files["t"] = image
    site.headers["Content-Length"] = str(1 << 60)
    begun = time.monotonic()
    refused(bench, f"{site.url}/t", rf"is full: .*/t needs {1 << 60} bytes, and [0-9]+ of [0-9]+ are left")
    assert time.monotonic() - begun < 60


def test_redirects_are_followed_but_not_for_ever_nor_everywhere(
    bench: StorageBench, site: Site, image: bytes
) -> None:
    site.files["t"] = image
    refused(bench, f"{site.url}/to/20/t", "redirect")
    assert len(site.asked) <= downloads.MOST_REDIRECTS + 1
    refused(bench, f"{site.url}/elsewhere/file:///etc/passwd", "file:///etc/passwd' is not allowed")
    refused(bench, f"{site.url}/elsewhere/http://169.254.169.254/x", "169.254.169.254, which is no server of images")
    assert fetch(bench, f"{site.url}/to/3/t")[1] == 8 * MIB


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("missing", r"cannot download http://127.0.0.1:[0-9]+/missing: the server says 404"),
        ("short/t", r"broke off after [0-9]+ of [0-9]+ bytes"),
    ],
)
def test_what_a_server_does_not_send(
    bench: StorageBench, site: Site, image: bytes, path: str, text: str
) -> None:
    site.files["t"] = image
    refused(bench, f"{site.url}/{path}", text)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://127.0.0.1:1/t", "cannot download http://127.0.0.1:1/t: .*refused"),
        ("http://user:secret@127.0.0.1:1/t?token=secret", "cannot download http://127.0.0.1:1/t: "),
        ("http://no.such.host.invalid/t", "no.such.host.invalid is not found"),
        ("http://169.254.169.254/latest", "no server of images"),
        ("http://[::ffff:169.254.169.254]/latest", "no server of images"),
        ("http://0.0.0.0/x", "no server of images"),
        ("metalink://host/x", "is no file that this host can reach"),
        ("nothing", "is no file that this host can reach"),
        ("nfs://filer/export/t.qcow2", "is no template in a secondary storage"),
    ],
)
def test_urls_that_lead_nowhere(bench: StorageBench, url: str, text: str) -> None:
    with pytest.raises(HypervisorError, match=text) as caught:
        fetch(bench, url)
    assert "secret" not in str(caught.value)
    assert bench.in_store() == []


def test_a_silent_server_is_given_up(
    bench: StorageBench, site: Site, image: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["t"] = image * 100
    monkeypatch.setattr(downloads, "SILENCE", 0.3)
    refused(bench, f"{site.url}/slow/t", "the server was silent for 0.3 s")


def test_a_download_that_is_given_up_leaves_nothing(bench: StorageBench, site: Site, image: bytes) -> None:
    site.files["t"] = image * 50

    async def work() -> None:
        task = asyncio.create_task(
            bench.host.download_template("t", f"{site.url}/slow/t", bench.store_url, "QCOW2", None)
        )
        await asyncio.to_thread(site.half.wait, 10)
        task.cancel()
        await asyncio.sleep(0.05)
        site.go.set()
        await asyncio.wait([task])
        assert task.cancelled()

    bench.do(work())
    assert bench.in_store() == []


def test_the_same_template_is_fetched_once_at_a_time(bench: StorageBench, site: Site, image: bytes) -> None:
    site.files["t"] = image

    async def both() -> None:
        def one() -> Any:
            return bench.host.download_template("t", f"{site.url}/slow/t", bench.store_url, "QCOW2", None)

        first, second, third = (asyncio.create_task(one()) for _ in range(3))
        await asyncio.to_thread(site.half.wait, 10)
        first.cancel()  # the others still want it
        await asyncio.wait([first])
        site.go.set()
        assert first.cancelled() and await second == await third

    bench.do(both())
    assert len(site.asked) == 1 and bench.in_store() == ["templates/t.qcow2"]


# what a file really is

HTML = b"<!DOCTYPE html>\n<html><body>404, and a server that does not say so" + b"." * 2000


def iso() -> bytes:
    return bytes(16 * 2048) + b"\1CD001\1" + bytes(2041) + bytes(8 * 2048)


@pytest.mark.parametrize("format", ["QCOW2", "RAW", "ISO", "VHD", "VMDK"])
def test_a_web_page_is_no_image(bench: StorageBench, site: Site, format: str) -> None:
    site.files["t"] = HTML[: 4 * 512]
    refused(bench, f"{site.url}/t", r"what http:.*/t serves is no .* image, but a text: '<!DOCTYPE html>", format)


def test_files_must_be_of_the_format_that_is_said(bench: StorageBench, site: Site, image: bytes) -> None:
    tar = bytes(257) + b"ustar" + bytes(1024)
    raw = b"\xeb\x63\x90" + bytes(1 << 20)
    site.files |= {"qcow2": image, "iso": iso(), "empty": b"", "odd": raw[:1000], "tar": tar}
    site.files["cut"] = b"vhdxfile".ljust(1024, b"\1")
    refused(bench, f"{site.url}/qcow2", "is no raw image, but qcow2", "RAW")
    refused(bench, f"{site.url}/qcow2", "is no iso image, but qcow2", "ISO")
    refused(bench, f"{site.url}/iso", "is no qcow2 image, but iso")
    refused(bench, f"{site.url}/empty", "is no qcow2 image, but an empty file")
    refused(bench, f"{site.url}/odd", "no whole number of sectors", "RAW")
    refused(bench, f"{site.url}/tar", "is no vmdk image, but a tar archive", "VMDK")
    refused(bench, f"{site.url}/qcow2", "images of format OVA are not supported on this host", "OVA")
    refused(bench, f"{site.url}/cut", "cannot be|Could not|Image is corrupt|Failed to get|truncated", "VHDX")


@pytest.mark.parametrize(
    ("format", "kind", "suffix"),
    [("RAW", "raw", "raw"), ("VHD", "vpc", "vhd"), ("VMDK", "vmdk", "vmdk"), ("VHDX", "vhdx", "vhdx"), ("VDI", "vdi", "vdi")],
)
def test_templates_of_all_formats_go_all_the_way_to_a_volume(
    bench: StorageBench, site: Site, tmp_path: Path, format: str, kind: str, suffix: str
) -> None:
    make_image(tmp_path / "made", 8 * MIB, b"\xeb\x63\x90boot" * 1000, kind)
    site.files["t"] = (tmp_path / "made").read_bytes()
    path, size, checksum = fetch(bench, f"{site.url}/t", format)
    assert path == f"templates/t.{suffix}" and size >= 8 * MIB
    spec = ImageSpec(bench.store_url, path, size, format, checksum)
    on_pool, _ = bench.do(bench.host.copy_template(spec, "P", "t"))
    bench.do(bench.host.create_volume("v", "P", 0, on_pool, None))
    assert content(bench.pool / "v", 7) == b"\xeb\x63\x90boot"


def test_holes_stay_holes(bench: StorageBench, site: Site) -> None:
    site.files["t"] = b"\xeb\x63\x90".ljust(4096, b"\1") + bytes(16 * MIB)
    path, size, _ = fetch(bench, f"{site.url}/t", "RAW")
    file = bench.store / path
    assert size == file.stat().st_size == 16 * MIB + 4096 and file.stat().st_blocks * 512 < MIB
    assert file.read_bytes() == site.files["t"]


def test_isos_are_found_by_their_path_on_this_host(bench: StorageBench, site: Site) -> None:
    site.files["i.iso"] = iso()
    path, size, _ = fetch(bench, f"{site.url}/i.iso", "ISO")
    assert (path, size) == ("templates/t.iso", len(iso()))
    spec = ImageSpec(bench.store_url, path, size, "ISO")
    assert bench.do(bench.host.image_file(spec)) == bench.store / path
    with pytest.raises(HypervisorError, match=r"there is no templates/u.iso in secondary storage"):
        bench.do(bench.host.image_file(replace(spec, path="templates/u.iso")))


# images that would show a guest the host's files


def test_an_image_with_a_backing_file_is_refused(bench: StorageBench, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "evil"
    qemu_img("create", "-f", "qcow2", "-u", "-b", "/etc/shadow", "-F", "raw", str(file), "1M")
    site.files["t"] = file.read_bytes()
    refused(bench, f"{site.url}/t", "is not complete in itself: it refers to another file")
    site.files["t.gz"] = gzip.compress(site.files["t"])
    refused(bench, f"{site.url}/t.gz", "is not complete in itself")


def test_an_image_with_an_external_data_file_is_refused(bench: StorageBench, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "evil"
    qemu_img("create", "-f", "qcow2", "-o", f"data_file={tmp_path}/data,data_file_raw=on", str(file), "1M")
    site.files["t"] = file.read_bytes()
    refused(bench, f"{site.url}/t", "is not complete in itself")


def test_a_vmdk_with_extents_elsewhere_is_refused(bench: StorageBench, site: Site, tmp_path: Path) -> None:
    descriptor = (
        b"# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n"
        b'RW 2048 FLAT "/etc/shadow" 0\n'
    )
    site.files["text"] = descriptor.ljust(1024, b"\n")
    refused(bench, f"{site.url}/text", "is no vmdk image, but a text", "VMDK")
    header = struct.pack("<4sIIQQQQ", b"KDMV", 1, 3, 0, 128, 1, 20)
    site.files["inside"] = header.ljust(512, b"\0") + descriptor.ljust(20 * 512, b"\0")
    refused(bench, f"{site.url}/inside", "is not complete in itself", "VMDK")
    make_image(tmp_path / "child", MIB, b"x", "vmdk")
    child = (tmp_path / "child").read_bytes()
    parent = child.replace(b"parentCID=ffffffff", b'parentCID=00000001\nparentFileNameHint="/etc/shadow"', 1)
    at = child.index(b"parentCID")
    site.files["child"] = child[:at] + parent[at : at + 1024 - at % 512] + child[at + 1024 - at % 512 :]
    refused(bench, f"{site.url}/child", "it refers to the file ./etc/shadow", "VMDK")


def test_an_encrypted_image_is_refused(bench: StorageBench, site: Site, tmp_path: Path) -> None:
    make_image(tmp_path / "plain", MIB)
    plain = (tmp_path / "plain").read_bytes()
    site.files["t"] = plain[:32] + struct.pack(">I", 1) + plain[36:]  # the header's crypt_method: AES
    refused(bench, f"{site.url}/t", "is encrypted")


# files of this host, and of other zones


def test_a_template_is_copied_from_another_zones_store(bench: StorageBench, tmp_path: Path) -> None:
    other = bench.image("templates/o.qcow2", 8 * MIB)
    (tmp_path / "there").mkdir()
    there = StorageBench(tmp_path / "there")
    path, size, _ = fetch(there, f"{bench.store_url}/{other.path}")
    assert (path, size) == ("templates/t.qcow2", 8 * MIB)
    assert (there.store / path).read_bytes() == (bench.store / other.path).read_bytes()


def test_users_cannot_fetch_what_is_not_for_everybody(bench: StorageBench, tmp_path: Path) -> None:
    bench.image("snapshots/s.qcow2")
    make_image(bench.pool / "v", MIB)
    make_image(bench.settings.data / "d", MIB)
    make_image(tmp_path / "private", MIB)
    (tmp_path / "private").chmod(0o600)
    (tmp_path / "link").symlink_to(bench.pool / "v")
    for place in (
        bench.store / "snapshots/s.qcow2",
        bench.pool / "v",
        bench.settings.data / "d",
        tmp_path / "private",
        tmp_path / "link",
        bench.pool / ".." / "pool" / "v",
        Path("/dev/zero"),
        tmp_path,
    ):
        with pytest.raises(HypervisorError, match="is not a file that everybody may read"):
            fetch(bench, f"file://{place}")
    with pytest.raises(HypervisorError, match="No such file"):
        fetch(bench, f"file://{tmp_path}/missing")
    assert bench.in_store() == ["snapshots/s.qcow2"]

"""Downloads into a store."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from backends.systemvm.secstorage import downloads, parts
from tests.backends.systemvm.secstorage.conftest import HERE, STORE, Service, qcow2, until
from tests.backends.systemvm.secstorage.image_server import MIB


def test_a_file_is_in_its_place_and_described_once_it_is_whole(service: Service) -> None:
    content = service.images.files["/a.qcow2"] = qcow2(3 * MIB)
    assert service.download("/a.qcow2")["state"] in ("Running", "Done")
    done = service.ended()
    assert (done["state"], done["physical_size"], done["virtual_size"]) == ("Done", 3 * MIB, 10 << 30)
    assert done["checksum"] == f"{{SHA-256}}{hashlib.sha256(content).hexdigest()}"
    assert service.files() == {"templates/t.qcow2"}
    assert service.file(done["path"]).read_bytes() == content
    assert service.file(done["path"]).stat().st_mode & 0o777 == 0o644


def test_asking_again_goes_on_and_fetches_nothing_twice(service: Service) -> None:
    service.images.files["/a.qcow2"] = qcow2()
    service.images.pace = 2 * MIB
    for _ in range(5):
        service.download("/a.qcow2")
    assert service.ended()["state"] == "Done"
    assert service.download("/a.qcow2")["state"] == "Done"
    assert service.images.seen == [""]


def test_progress_is_told_while_it_comes(service: Service) -> None:
    service.images.files["/a.qcow2"] = qcow2(2 * MIB)
    service.images.pace = 4 * MIB
    service.download("/a.qcow2")
    seen = until(service.status, lambda found: found["done"] > 0)
    assert seen["size"] == 2 * MIB and 0 < seen["done"] <= 2 * MIB
    assert service.ended()["state"] == "Done"


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-1", "SHA-256", "SHA-512"])
def test_a_checksum_of_any_kind_is_compared(service: Service, algorithm: str) -> None:
    content = service.images.files["/a.qcow2"] = qcow2()
    digits = hashlib.new(algorithm.replace("-", ""), content).hexdigest()
    service.download("/a.qcow2", "bare", checksum=digits.upper())
    service.download("/a.qcow2", "named", checksum=f"{{{algorithm}}}{digits}")
    wrong = digits[::-1]
    service.download("/a.qcow2", "wrong", checksum=f"{{{algorithm}}}{wrong}")
    assert service.ended("bare")["checksum"] == service.ended("named")["checksum"] == f"{{{algorithm}}}{digits}"
    failed = service.ended("wrong")
    assert failed["state"] == "Failed"
    assert f"has the checksum {{{algorithm}}}{digits} instead of {{{algorithm}}}{wrong}" in failed["reason"]
    assert service.files() == {"templates/bare.qcow2", "templates/named.qcow2"}


def test_what_is_too_big_is_not_fetched(service: Service) -> None:
    service.images.files["/a.qcow2"] = qcow2(2 * MIB)
    service.download("/a.qcow2", largest=MIB)
    failed = service.ended()
    assert failed["state"] == "Failed" and f"no more than {MIB} are allowed" in failed["reason"]
    assert service.files() == set()


def test_what_unpacks_to_too_much_is_not_kept(service: Service) -> None:
    service.images.files["/a.gz"] = gzip.compress(qcow2(64 * 1024) + bytes(20 * MIB))
    service.download("/a.gz", largest=2 * MIB)
    failed = service.ended()
    assert failed["state"] == "Failed" and f"unpacked it is more than {2 * MIB} bytes" in failed["reason"]
    assert service.files() == set()


def test_errors_of_the_server_are_told_and_passing_ones_tried_again(service: Service) -> None:
    service.images.files["/a.qcow2"] = qcow2()
    service.download("/missing.qcow2?token=secret", "missing")
    failed = service.ended("missing")
    assert failed["state"] == "Failed" and "the server says 404 Not Found" in failed["reason"]
    assert "secret" not in failed["reason"]
    service.images.statuses = [503, 500, 429]
    service.download("/a.qcow2")
    assert service.ended()["state"] == "Done"
    service.images.statuses = [503] * 10
    service.download("/a.qcow2", "never")
    assert "the server says 503" in service.ended("never")["reason"]


def test_nobody_listening_is_an_error_in_the_end(service: Service) -> None:
    service.download("http://127.0.0.1:9/a.qcow2")
    failed = service.ended()
    assert failed["state"] == "Failed" and "refused" in failed["reason"]


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://", "gopher://images.example/a", "http:///a", "nfs://files.example/a.qcow2"],
)
def test_only_servers_are_asked(service: Service, url: str) -> None:
    service.download(url)
    failed = service.ended()
    assert failed["state"] == "Failed" and "is no URL of a server" in failed["reason"]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(service: Service) -> None:
    content = service.images.files["/a.qcow2"] = qcow2(4 * MIB)
    service.images.cut = [MIB, MIB, MIB]
    service.download("/a.qcow2")
    assert service.ended()["state"] == "Done"
    assert service.images.seen == ["", f"bytes={MIB}-", f"bytes={2 * MIB}-", f"bytes={3 * MIB}-"]
    assert service.file("templates/t.qcow2").read_bytes() == content


def test_a_server_that_knows_no_ranges_is_asked_for_all_again(service: Service) -> None:
    content = service.images.files["/a.qcow2"] = qcow2(2 * MIB)
    service.images.ranges = False
    service.images.cut = [MIB]
    service.download("/a.qcow2")
    assert service.ended()["state"] == "Done"
    assert service.file("templates/t.qcow2").read_bytes() == content


def test_a_file_that_changed_meanwhile_is_fetched_anew(service: Service) -> None:
    service.images.files["/a.qcow2"] = qcow2(2 * MIB, virtual=1 << 30)
    service.images.cut = [MIB]
    service.images.statuses = []
    original = service.images.RequestHandlerClass._send  # type: ignore[attr-defined]

    def changing(client: object, path: str) -> None:
        original(client, path)
        service.images.files["/a.qcow2"], service.images.versions["/a.qcow2"] = qcow2(3 * MIB, virtual=2 << 30), '"2"'

    service.images.RequestHandlerClass._send = changing  # type: ignore[attr-defined]
    try:
        service.download("/a.qcow2")
        done = service.ended()
    finally:
        service.images.RequestHandlerClass._send = original  # type: ignore[attr-defined]
    assert (done["state"], done["virtual_size"], done["size"]) == ("Done", 2 << 30, 3 * MIB)
    assert service.file("templates/t.qcow2").read_bytes() == qcow2(3 * MIB, virtual=2 << 30)


def test_another_machine_goes_on_with_what_one_that_died_left(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(parts, "SYNC_EVERY", MIB)
    content = service.images.files["/a.qcow2"] = qcow2(4 * MIB)
    service.images.pace = 8 * MIB
    service.download("/a.qcow2")
    until(service.status, lambda found: found["done"] >= 2 * MIB)
    (tmp_path / "other").mkdir()
    other = Service(tmp_path / "other")
    try:
        other.table.write_text(service.table.read_text())
        service.service.close()
        assert service.status()["state"] == "Unknown"
        other.images = service.images
        service.images.pace = None
        other.download("/a.qcow2")
        assert other.ended()["state"] == "Done"
    finally:
        other.door.shutdown()
    assert service.images.seen[-1].startswith("bytes=") and len(service.images.seen) == 2
    assert service.file("templates/t.qcow2").read_bytes() == content


def test_two_machines_at_the_same_file_end_with_a_whole_one(service: Service, tmp_path: Path) -> None:
    content = service.images.files["/a.qcow2"] = qcow2(4 * MIB)
    service.images.pace = 8 * MIB
    (tmp_path / "other").mkdir()
    other = Service(tmp_path / "other")
    try:
        other.table.write_text(service.table.read_text())
        other.images = service.images
        service.download("/a.qcow2")
        until(service.status, lambda found: found["done"] >= MIB)
        other.download("/a.qcow2")
        assert {service.ended()["state"], other.ended()["state"]} == {"Done"}
    finally:
        other.door.shutdown()
    assert service.file("templates/t.qcow2").read_bytes() == content
    assert service.files() == {"templates/t.qcow2"}


def test_a_file_that_is_in_its_place_is_done(service: Service) -> None:
    content = service.images.files["/a.qcow2"] = qcow2()
    service.file("templates").mkdir()
    service.file("templates/t.qcow2").write_bytes(content)
    service.download("/a.qcow2")
    done = service.ended()
    assert (done["state"], done["size"]) == ("Done", MIB) and service.images.seen == []


def test_a_cancelled_download_leaves_nothing(service: Service) -> None:
    service.images.files["/a.qcow2"] = qcow2(4 * MIB)
    service.images.pace = MIB
    service.download("/a.qcow2")
    until(service.status, lambda found: found["done"] > 0)
    assert service.ask("CancelTransfer") == {"type": "Done"}
    assert service.files() == set() and service.status()["state"] == "Unknown"


def test_what_another_machine_began_is_cancelled_by_its_place(service: Service) -> None:
    service.file("templates").mkdir()
    for name in (".part-t.qcow2", ".part-t.qcow2.json", "other.qcow2"):
        service.file(f"templates/{name}").write_text("{}")
    assert service.ask("CancelTransfer", store_url=STORE, path="templates/t.qcow2") == {"type": "Done"}
    assert service.files() == {"templates/other.qcow2"}
    assert service.ask("CancelTransfer", "unknown") == {"type": "Done"}


def test_packed_images_are_unpacked_and_their_checksum_is_that_of_what_was_sent(service: Service) -> None:
    content = qcow2()
    packed = gzip.compress(content)
    zipped = BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.qcow2", content)
    service.images.files |= {"/a.gz": packed, "/a.zip": zipped.getvalue(), "/broken.gz": packed[:-100]}
    service.download("/a.gz", "gz", checksum=hashlib.md5(packed).hexdigest())
    service.download("/a.zip", "zip")
    service.download("/broken.gz", "broken")
    for name in ("gz", "zip"):
        assert service.ended(name)["state"] == "Done"
        assert service.file(f"templates/{name}.qcow2").read_bytes() == content
    assert service.ended("gz")["checksum"] == f"{{MD5}}{hashlib.md5(packed).hexdigest()}"
    assert "the end is missing" in service.ended("broken")["reason"]
    assert not any("broken" in name or ".part" in name for name in service.files())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>not found</html>", "is no qcow2 image, but a text"),
        (b"", "an empty file"),
        (bytes(1024), "but raw"),
        (qcow2(backing=4096), "refers to another file"),
    ],
)
def test_what_is_not_the_image_that_it_should_be_is_not_kept(service: Service, content: bytes, said: str) -> None:
    service.images.files["/a.qcow2"] = content
    service.download("/a.qcow2")
    failed = service.ended()
    assert failed["state"] == "Failed" and said in failed["reason"]
    assert service.files() == set()


def test_zeros_take_no_room(service: Service) -> None:
    content = service.images.files["/a.raw"] = b"\x01" * 512 + bytes(16 * MIB - 1024) + b"\x02" * 512
    service.download("/a.raw", format="RAW")
    assert service.ended()["state"] == "Done"
    file = service.file("templates/t.qcow2")
    assert file.read_bytes() == content
    assert file.stat().st_blocks * 512 < MIB


@pytest.mark.parametrize("path", ["../outside", "/", "", "a/../../b", "templates/\0"])
def test_no_path_leads_out_of_the_store(service: Service, path: str) -> None:
    service.images.files["/a.qcow2"] = qcow2()
    service.download("/a.qcow2", path=path)
    failed = service.ended()
    assert failed["state"] == "Failed" and "is no file in secondary storage" in failed["reason"]


def test_no_symbolic_link_leads_out_of_the_store(service: Service, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    service.file("templates").symlink_to(tmp_path / "elsewhere")
    service.images.files["/a.qcow2"] = qcow2()
    service.download("/a.qcow2")
    assert "leads out of secondary storage" in service.ended()["reason"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_store_that_is_not_mounted_yet_is_waited_for_a_while(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service.images.files["/a.qcow2"] = qcow2()
    service.download("/a.qcow2", "soon", store_url="nfs://files.example/other")
    assert service.status("soon")["state"] == "Running"
    (tmp_path / "other").mkdir()
    service.table.write_text(json.dumps({"nfs://files.example/other": str(tmp_path / "other")}))
    assert service.ended("soon")["state"] == "Done"
    monkeypatch.setattr(downloads, "MOUNTED_WITHIN", 0.05)
    service.download("/a.qcow2", store_url="nfs://files.example/third")
    failed = service.ended()
    assert failed["state"] == "Failed" and "is not mounted in this machine" in failed["reason"]


def test_redirects_are_followed_but_not_to_where_nobody_may_go(service: Service) -> None:
    service.images.files["/a.qcow2"] = qcow2()
    service.images.redirects = {
        "/moved": service.images.url("/a.qcow2"),
        "/round": "/round",
        "/metadata": "http://169.254.169.254/latest/meta-data/",
        "/file": "file:///etc/passwd",
    }
    for name in ("moved", "round", "metadata", "file"):
        service.download(f"/{name}", name)
    assert service.ended("moved")["state"] == "Done"
    assert "redirects more than 5 times" in service.ended("round")["reason"]
    assert "169.254.169.254, which is no server of images" in service.ended("metadata")["reason"]
    assert "is no URL of a server" in service.ended("file")["reason"]


def test_servers_on_internal_networks_are_refused_unless_they_are_allowed(service: Service) -> None:
    service.images.files["/a.qcow2"] = qcow2()
    service.download("/a.qcow2", "refused", allowed_networks=())
    service.download("/a.qcow2", "other", allowed_networks=("10.0.0.0/8",))
    service.download("/a.qcow2", "allowed", allowed_networks=("10.0.0.0/8", *HERE))
    for name in ("refused", "other"):
        assert "on an internal network that downloads may not come from" in service.ended(name)["reason"]
    assert service.ended("allowed")["state"] == "Done"
    assert service.images.seen == [""]

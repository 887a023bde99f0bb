"""What a host tells of the files on its storage, and copies from one image store to another."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.libvirt.checksums import parse
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import ImageSpec, StorageObject
from tests.backends.libvirt.storage_bench import MIB, StorageBench, content


@pytest.fixture
def bench(tmp_path: Path) -> StorageBench:
    return StorageBench(tmp_path)


def listed(bench: StorageBench, path: str = "", *, store: bool = False, describe: bool = False) -> list[StorageObject]:
    where = (None, bench.store_url) if store else ("P", None)
    return list(bench.do(bench.host.storage_objects(*where, path, describe)))


def test_the_files_of_a_pool_with_what_they_are(bench: StorageBench) -> None:
    bench.template(8 * MIB)
    bench.do(bench.host.create_volume("clone", "P", 16 * MIB, "template-t", None))
    bench.do(bench.host.create_volume("empty", "P", 4 * MIB, None, None))
    (bench.pool / "notes.txt").write_text("from the operator")
    (bench.pool / ".new-other-1").write_text("half")
    (bench.pool / "link").symlink_to("/etc/passwd")
    found = {each.name: each for each in listed(bench, describe=True)}
    assert sorted(found) == ["clone", "empty", "notes.txt", "template-t"]
    assert (found["clone"].virtual_size, found["clone"].backing) == (16 * MIB, "template-t")
    assert (found["empty"].virtual_size, found["empty"].backing, found["empty"].user) == (4 * MIB, None, None)
    assert (found["notes.txt"].format, found["notes.txt"].virtual_size) == ("raw", None)
    assert found["template-t"].size >= MIB and found["template-t"].modified is not None


def test_a_file_that_an_instance_has_open_says_so(bench: StorageBench) -> None:
    bench.do(bench.host.create_volume("v", "P", MIB, None, None))
    bench.libvirt.running["i-2-7-VM"] = {"vda": bench.pool / "v"}
    (found,) = listed(bench, "v", describe=True)
    assert found.user == "i-2-7-VM"


def test_folders_of_a_store_one_by_one(bench: StorageBench) -> None:
    bench.image("templates/t.qcow2")
    assert [(each.name, each.directory) for each in listed(bench, store=True)] == [("templates", True)]
    (file,) = listed(bench, "templates", store=True)
    assert (file.name, file.format, file.directory) == ("templates/t.qcow2", "qcow2", False)
    assert listed(bench, "templates/t.qcow2", store=True) == [file]


@pytest.mark.parametrize("path", ["nowhere", "../other", "templates/../../x"])
def test_what_is_not_there_or_not_in_it_is_an_error(bench: StorageBench, path: str) -> None:
    (bench.pool.parent / "other").mkdir()
    with pytest.raises(HypervisorError, match=r"there is no|is no folder in"):
        listed(bench, path)


def test_an_image_is_copied_to_another_store_with_its_checksum(bench: StorageBench) -> None:
    image, other = bench.image("templates/t.qcow2"), bench.store.parent / "other"
    other.mkdir()
    sent, kept = parse("a" * 32), parse("b" * 32)
    bench.do(bench.host.stores.note_packed(bench.store / image.path, sent, kept))
    path, physical = bench.do(bench.host.copy_image(image, f"file://{other}"))
    copy = other / path
    assert path == image.path and physical == copy.stat().st_blocks * 512
    assert copy.read_bytes() == (bench.store / path).read_bytes() and content(copy, 1) == b"\x08"
    there = ImageSpec(f"file://{other}", path, image.size, checksum="a" * 32)
    assert bench.do(bench.host.stores.expected(there, copy)) == kept
    copy.write_bytes(b"as it is")
    bench.do(bench.host.copy_image(image, f"file://{other}"))
    assert copy.read_bytes() == b"as it is", "again is no error, and nothing is done again"
    with pytest.raises(HypervisorError, match="there is no gone"):
        bench.do(bench.host.copy_image(ImageSpec(bench.store_url, "gone", 1), f"file://{other}"))
    assert sorted(each.name for each in copy.parent.iterdir()) == ["t.qcow2", "t.qcow2.checksum"]


@pytest.mark.parametrize(("kind", "least"), [("sparse", 0), ("fat", 32 * MIB)])
def test_a_disk_that_is_not_thin_depends_on_no_template_and_a_fat_one_has_all_its_room(
    bench: StorageBench, kind: str, least: int
) -> None:
    bench.template(8 * MIB)
    assert bench.do(bench.host.create_volume("v", "P", 32 * MIB, "template-t", None, kind)) == ("v", 32 * MIB)
    assert bench.do(bench.host.create_volume("blank", "P", 32 * MIB, None, None, kind)) == ("blank", 32 * MIB)
    found = {each.name: each for each in listed(bench, describe=True)}
    for name in ("v", "blank"):
        assert found[name].backing is None and found[name].virtual_size == 32 * MIB
        assert found[name].size >= least
    assert content(bench.pool / "v", 1) == b"\x08"
    bench.do(bench.host.delete_template("P", "template-t"))

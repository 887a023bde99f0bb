from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backends.libvirt import pools as pools_module
from backends.libvirt.mounts import mounted
from backends.libvirt.pools import Pools
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, PoolSpec

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def shared(tmp_path: Path) -> PoolSpec:
    (tmp_path / "shared").mkdir()
    return PoolSpec("P", "SharedMountPoint", "localhost", f"{tmp_path}/shared")


@pytest.mark.parametrize("type", ["SharedMountPoint", "PreSetup", "Filesystem"])
def test_a_folder_is_a_pool(data: Path, shared: PoolSpec, type: str) -> None:
    pools = Pools(data)
    found = asyncio.run(pools.mount(PoolSpec("P", type, "", shared.path)))
    size = os.statvfs(shared.path)
    assert found.capacity == size.f_blocks * size.f_frsize
    assert 0 < found.used < found.capacity
    assert asyncio.run(pools.mount(PoolSpec("P", type, "", shared.path))).capacity == found.capacity, "again"
    assert pools.path("P") == Path(shared.path)
    assert asyncio.run(pools.statistics("P")).capacity == found.capacity


def test_only_a_hosts_own_folder_is_made_when_it_is_missing(data: Path, tmp_path: Path) -> None:
    pools = Pools(data)
    for type in ("SharedMountPoint", "PreSetup"):
        with pytest.raises(HypervisorError, match=r"pool P at .*/none: there is no such folder on this host"):
            asyncio.run(pools.mount(PoolSpec("P", type, "", f"{tmp_path}/none")))
    assert "P" not in pools
    asyncio.run(pools.mount(PoolSpec("P", "Filesystem", "", f"{tmp_path}/none")))
    assert (tmp_path / "none").is_dir()


@pytest.mark.parametrize(
    ("pool", "text"),
    [
        (PoolSpec("P", "RBD", "monitor", "pool"), "storage of type RBD is not supported"),
        (PoolSpec("P", "CLVM", "", "/vg"), "storage of type CLVM is not supported"),
        (PoolSpec("P", "SharedMountPoint", "", "relative"), "'relative' is no absolute path"),
        (PoolSpec("../P", "SharedMountPoint", "", "/tmp"), "'../P' is no id of a storage pool"),
        (PoolSpec("P", "NetworkFilesystem", "", "/export"), "'' is no file server"),
        (PoolSpec("P", "NetworkFilesystem", "-o", "/export"), "'-o' is no file server"),
        (PoolSpec("P", "SharedMountPoint", "", "/proc"), "writing to storage pool P at /proc: "),
    ],
)
def test_what_cannot_be_a_pool_is_refused(data: Path, pool: PoolSpec, text: str) -> None:
    pools = Pools(data)
    with pytest.raises(HypervisorError, match=text):
        asyncio.run(pools.mount(pool))
    assert list(pools) == []


def test_pools_are_remembered_by_the_next_agent_until_they_are_unmounted(data: Path, shared: PoolSpec) -> None:
    asyncio.run(Pools(data).mount(shared))
    pools = Pools(data)
    asyncio.run(pools.restore())
    assert pools.disk(DiskSpec("v", "P", "v", 1)) == Path(shared.path) / "v"
    asyncio.run(pools.unmount(shared))
    asyncio.run(pools.unmount(shared))
    assert Path(shared.path).is_dir(), "the content stays"
    with pytest.raises(HypervisorError, match="pool P is not mounted on this host"):
        Pools(data).path("P")


def test_a_damaged_memory_is_an_empty_one(data: Path, shared: PoolSpec) -> None:
    (data / "pools.json").write_text("[{")
    pools = Pools(data)
    assert list(pools) == []
    asyncio.run(pools.mount(shared))
    assert list(Pools(data)) == ["P"]


def test_a_folder_that_vanished_is_said_to_be_gone(data: Path, shared: PoolSpec) -> None:
    pools = Pools(data)
    asyncio.run(pools.mount(shared))
    Path(shared.path).rmdir()
    for work in (pools.ready, pools.statistics):
        with pytest.raises(HypervisorError, match="there is no such folder"):
            asyncio.run(work("P"))
    asyncio.run(pools.restore())
    Path(shared.path).mkdir()
    assert asyncio.run(pools.ready("P")) == Path(shared.path), "and there again once it is back"


def test_paths_stay_on_their_pool(data: Path, shared: PoolSpec) -> None:
    pools = Pools(data)
    asyncio.run(pools.mount(shared))
    root = Path(shared.path)
    assert pools.file("P", "folder/v") == root / "folder" / "v"
    for path in ("", ".", "..", "../shared", "../secret", "/etc/passwd", "a/../../b", "v\0"):
        with pytest.raises(HypervisorError, match="is no file on storage pool P"):
            pools.file("P", path)


def test_a_file_is_on_the_pool_that_begins_nearest_to_it(data: Path, shared: PoolSpec) -> None:
    pools = Pools(data)
    asyncio.run(pools.mount(shared))
    asyncio.run(pools.mount(PoolSpec("Q", "Filesystem", "", f"{shared.path}/inner")))
    assert pools.pool_of(Path(shared.path) / "v") == "P"
    assert pools.pool_of(Path(shared.path) / "inner" / "v") == "Q"
    assert pools.pool_of(Path("/elsewhere/v")) is None


def test_a_file_server_that_does_not_answer_costs_time_but_not_a_thread_for_each_question(
    data: Path, shared: PoolSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    dead = threading.Event()
    asked: list[int] = []

    def look(folder: Path) -> None:
        asked.append(1)
        dead.wait(10)

    async def work() -> None:
        pools = Pools(data)
        await pools.mount(shared)
        monkeypatch.setattr(pools_module, "_look", look)
        monkeypatch.setattr(pools_module, "QUICK", 0.1)
        for _ in range(3):
            with pytest.raises(HypervisorError, match=r"storage pool P at .* did not answer within 0.1 s"):
                await pools.statistics("P")
        dead.set()

    asyncio.run(work())
    assert len(asked) == 1


# network file systems

NFS = PoolSpec("N", "NetworkFilesystem", "filer", "/export/primary", 2049)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a script in place of `mount`; it notes its arguments in the file that is returned."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def replace(script: str) -> Path:
        program = folder / "mount"
        program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n{script}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return tmp_path / "calls"

    return replace


def test_what_mount_says_is_passed_on(data: Path, commands: Callable[[str], Path]) -> None:
    calls = commands("echo 'mount.nfs: Connection refused for filer:/export' >&2; exit 32")
    pools = Pools(data)
    with pytest.raises(HypervisorError, match=r"mounting filer:/export/primary: mount.nfs: Connection refused"):
        asyncio.run(pools.mount(NFS))
    assert list(pools) == []
    assert calls.read_text() == f"-t nfs -- filer:/export/primary {data}/mounts/N\n"


def test_ports_and_addresses_of_file_servers(data: Path, commands: Callable[[str], Path]) -> None:
    calls = commands("exit 1")
    pool = PoolSpec("N", "NetworkFilesystem", "fd00::1", "/export", 12049)
    with pytest.raises(HypervisorError, match="mount ended with code 1"):
        asyncio.run(Pools(data).mount(pool))
    assert calls.read_text() == f"-t nfs -o port=12049 -- [fd00::1]:/export {data}/mounts/N\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_network_file_system_comes_back_after_a_reboot(
    data: Path, tmp_path: Path, commands: Callable[[str], Path]
) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "v").write_text("content")
    # bind mounts stand in for NFS
    calls = commands(f'for folder; do :; done; exec /bin/mount --bind {tmp_path}/export "$folder"')
    folder = data / "mounts" / "N"
    try:
        pools = Pools(data)
        try:
            asyncio.run(pools.mount(NFS))
        except HypervisorError as error:
            pytest.skip(f"this machine cannot mount: {error}")
        asyncio.run(pools.mount(NFS))
        assert len(calls.read_text().splitlines()) == 1, "what is mounted stays so"
        assert pools.file("N", "v").read_text() == "content"
        assert data.stat().st_mode & 0o777 == 0o711, "QEMU runs as another user, and has to pass"

        os.spawnlp(os.P_WAIT, "umount", "umount", str(folder))  # the reboot
        pools = Pools(data)
        asyncio.run(pools.restore())
        assert mounted(folder) is not None

        os.spawnlp(os.P_WAIT, "umount", "umount", str(folder))
        assert asyncio.run(pools.ready("N")) == folder and mounted(folder) is not None, "when it is needed"

        asyncio.run(pools.unmount(NFS))
        assert mounted(folder) is None and not folder.exists()
        assert (tmp_path / "export" / "v").exists()
    finally:
        if mounted(folder) is not None:
            os.spawnlp(os.P_WAIT, "umount", "umount", str(folder))

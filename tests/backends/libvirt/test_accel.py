from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from backends.libvirt import accel

SOURCE = Path(accel.__file__).with_name("long_mode.S")


def stand_in(folder: Path, script: str) -> str:
    """A program in the place of QEMU."""
    path = folder / "qemu"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def kvm_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/dev/kvm" or exists(path))


@pytest.mark.skipif(not os.path.exists(accel.QEMU), reason="needs QEMU")
def test_the_sector_reaches_long_mode_on_a_processor_that_has_it() -> None:
    assert len(accel.BOOT_SECTOR) == 512 and accel.BOOT_SECTOR.endswith(b"\x55\xaa")
    assert accel.run_sector(accel.QEMU, "tcg", 20.0) == accel.EXIT


@pytest.mark.skipif(shutil.which("as") is None or shutil.which("ld") is None, reason="needs an assembler")
def test_the_sector_is_what_its_source_says(tmp_path: Path) -> None:
    made, code = tmp_path / "long_mode.o", tmp_path / "long_mode.bin"
    assembled = subprocess.run(
        ["as", "--32", "-o", str(made), str(SOURCE)], capture_output=True, text=True, check=False
    )
    if assembled.returncode:
        pytest.skip(f"the assembler is for another machine: {assembled.stderr}")
    linking = ["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", str(code), str(made)]
    subprocess.run(linking, check=True)
    assert accel.BOOT_SECTOR[:510] == code.read_bytes().ljust(510, b"\0")


@pytest.mark.usefixtures("kvm_is_promised")
def test_a_guest_that_reaches_long_mode_shows_that_kvm_works(tmp_path: Path) -> None:
    found = accel.probe(stand_in(tmp_path, f"exit {accel.EXIT}"))
    assert found.type == "kvm"


@pytest.mark.usefixtures("kvm_is_promised")
def test_a_guest_that_hangs_under_kvm_means_emulation_and_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    found = accel.probe(stand_in(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60"), limit=2.0)
    assert time.monotonic() - began < 30
    assert found == accel.Acceleration("qemu", "a guest did not reach long mode under KVM within 2 s")
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


@pytest.mark.usefixtures("kvm_is_promised")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 1", "a guest under KVM ended with code 1 before it reached long mode"),
        ("kill -ABRT $$", "a guest under KVM was ended by SIGABRT before it reached long mode"),
    ],
)
def test_a_guest_that_fails_under_kvm_means_emulation(tmp_path: Path, script: str, reason: str) -> None:
    assert accel.probe(stand_in(tmp_path, script)) == accel.Acceleration("qemu", reason)


@pytest.mark.usefixtures("kvm_is_promised")
def test_without_qemu_or_kvm_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = str(tmp_path / "none")
    assert accel.probe(none) == accel.Acceleration(
        "qemu", f"{none} does not start: No such file or directory"
    )
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    assert accel.probe() == accel.Acceleration("qemu", "there is no /dev/kvm")


def test_the_probe_of_this_machine_says_one_or_the_other() -> None:
    found = accel.probe()
    assert found.type in ("kvm", "qemu") and found.reason

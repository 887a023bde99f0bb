"""Built images, kept by what they were made of."""

from __future__ import annotations

import stat
import threading
import time
from pathlib import Path

import pytest

from backends.images.cache import ImageCache, builder_hash, copy_out, fingerprint
from backends.images.errors import ImageError


def built(work: Path) -> Path:
    (work / "disk.qcow2").write_bytes(b"image")
    return work / "disk.qcow2"


def test_equal_inputs_have_equal_names() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_a_change_of_the_builder_changes_its_hash(tmp_path: Path) -> None:
    mini = tmp_path / "mini"
    (mini / "guest").mkdir(parents=True)
    (mini / "guest/init").write_text("#!/bin/sh\n")
    (tmp_path / "disk.py").write_text("SHARED = 1\n")
    before = builder_hash(mini)
    for other in ("mini/__pycache__/build.pyc", "debian/build.py"):
        (tmp_path / other).parent.mkdir()
        (tmp_path / other).write_bytes(b"not an input")
    assert builder_hash(mini) == before
    (tmp_path / "disk.py").write_text("SHARED = 2\n")
    after = builder_hash(mini)
    (mini / "guest/init").write_text("#!/bin/sh -e\n")
    assert len({before, after, builder_hash(mini)}) == 3


def test_an_image_is_built_once_and_cannot_be_written(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path / "cache")
    path = cache.image("mini-1", built)
    assert path == tmp_path / "cache/mini-1.qcow2" and path.read_bytes() == b"image"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert cache.image("mini-1", lambda _: pytest.fail("it is there")) == path


def test_what_a_killed_builder_left_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "mini-1.work/material").mkdir(parents=True)
    (tmp_path / "mini-1.lock").touch()
    assert ImageCache(tmp_path).image("mini-1", built).read_bytes() == b"image"
    assert not (tmp_path / "mini-1.work").exists()


def test_a_failed_build_leaves_no_image(tmp_path: Path) -> None:
    def fails(work: Path) -> Path:
        built(work)
        raise ImageError("no luck")

    with pytest.raises(ImageError, match="no luck"):
        ImageCache(tmp_path).image("mini-1", fails)
    assert [path.name for path in tmp_path.iterdir()] == ["mini-1.lock"]


def test_of_two_builders_at_a_time_one_builds(tmp_path: Path) -> None:
    builds: list[Path] = []

    def slowly(work: Path) -> Path:
        builds.append(work)
        time.sleep(0.1)
        return built(work)

    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(ImageCache(tmp_path).image("mini-1", slowly)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1 and found == [tmp_path / "mini-1.qcow2"] * 3


def test_a_copy_can_be_written(tmp_path: Path) -> None:
    image = ImageCache(tmp_path / "cache").image("mini-1", built)
    out = copy_out(image, tmp_path / "new folder/mini.qcow2")
    assert out.read_bytes() == b"image" and stat.S_IMODE(out.stat().st_mode) & 0o200
    assert [path.name for path in out.parent.iterdir()] == ["mini.qcow2"]


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match=r"image cache .*/file/cache cannot be used"):
        ImageCache(tmp_path / "file/cache").image("mini-1", built)

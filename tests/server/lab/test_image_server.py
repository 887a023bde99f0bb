"""A template is served while it is downloaded."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from server.lab.image_server import served


def test_one_file_is_served_for_as_long_as_it_is_needed(tmp_path: Path) -> None:
    image = tmp_path / "mini.qcow2"
    image.write_bytes(b"x" * 100_000)
    (tmp_path / "secret").touch()
    with served(image, "127.0.0.1") as url:
        assert url.endswith("/mini.qcow2")
        with urllib.request.urlopen(url, timeout=5) as response:
            assert response.headers["Content-Length"] == "100000"
            assert response.read() == b"x" * 100_000
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=5) as response:
            assert response.read() == b""
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url.replace("mini.qcow2", "secret"), timeout=5)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=5)

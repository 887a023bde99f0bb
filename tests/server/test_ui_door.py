"""The web UI's files at /client/: types, caching, compressed copies, and what is not there."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import flask
import pytest
from flask.testing import FlaskClient

from server.ui_door import add_ui

SCRIPT = b"export const words = 'the cloud';\n" * 20


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>the app</title>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-B4x.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-B4x.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "index-B4x.js.br").write_bytes(b"as if it were Brotli")
    (tmp_path / "secret.txt").write_text("not for the world")
    return folder


@pytest.fixture
def http(dist: Path) -> Iterator[FlaskClient]:
    app = flask.Flask("ui", static_folder=None)
    app.route("/client/api")(lambda: "the API")
    add_ui(app, dist)
    yield app.test_client()


def test_the_page_is_asked_for_anew_each_time_and_sent_when_it_has_changed(http: FlaskClient, dist: Path) -> None:
    answer = http.get("/client/")
    assert answer.status_code == 200 and b"the app" in answer.data
    assert answer.content_type == "text/html; charset=utf-8" and answer.headers["Cache-Control"] == "no-cache"
    again = {"If-None-Match": answer.headers["ETag"]}
    assert http.get("/client/", headers=again).status_code == 304
    (dist / "index.html").write_text("<!doctype html><title>another build</title>")
    assert b"another build" in http.get("/client/", headers=again).data


def test_what_has_a_hash_in_its_name_is_kept_for_a_year(http: FlaskClient) -> None:
    answer = http.get("/client/assets/index-B4x.js")
    assert answer.data == SCRIPT and answer.content_type == "text/javascript; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"] and "max-age=31536000" in answer.headers["Cache-Control"]
    icon = http.get("/client/favicon.svg")
    assert icon.content_type.startswith("image/svg+xml") and icon.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("deflate", None), ("", None)],
)
def test_a_compressed_copy_goes_to_browsers_that_take_it(
    http: FlaskClient, accepted: str, encoding: str | None
) -> None:
    answer = http.get("/client/assets/index-B4x.js", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.content_type == "text/javascript; charset=utf-8" and answer.headers["Vary"] == "Accept-Encoding"
    if encoding == "gzip":
        assert gzip.decompress(answer.data) == SCRIPT


def test_scripts_come_from_the_server_alone(http: FlaskClient) -> None:
    for path in ("/client/", "/client/assets/index-B4x.js", "/client/nothing.js"):
        headers = http.get(path).headers
        assert "script-src 'self';" in headers["Content-Security-Policy"]
        assert "object-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "nothing.js",
        "../secret.txt",
        "%2e%2e/secret.txt",
        "assets/..%2f..%2fsecret.txt",
        "assets",
        "assets/index-B4x.js.gz",
    ],
)
def test_nothing_but_the_files_of_the_build_is_served(http: FlaskClient, path: str) -> None:
    answer = http.get(f"/client/{path}")
    assert answer.status_code == 404 and b"not for the world" not in answer.data


def test_the_api_keeps_its_address(http: FlaskClient) -> None:
    assert http.get("/client/api").data == b"the API"
    assert http.get("/client").headers["Location"].endswith("client/")


def test_without_a_build_the_page_says_how_to_build(tmp_path: Path) -> None:
    app = flask.Flask("ui", static_folder=None)
    add_ui(app, tmp_path / "dist")
    answer = app.test_client().get("/client/")
    assert (
        answer.status_code == 200
        and b"npm ci &amp;&amp; npm run build" in answer.data
        and b"/client/api" in answer.data
    )
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "index.html").write_text("built meanwhile")
    assert app.test_client().get("/client/").data == b"built meanwhile"

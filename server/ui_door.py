"""The web UI's door: the files that `npm run build` made, at /client/.

The app finds its pages behind the # of its address, so every file is served under its own name and nothing else is.
Files whose names carry a hash of what is in them are kept by browsers for a year, others are asked for anew each time.
"""

from __future__ import annotations

from pathlib import Path

import flask
from werkzeug.security import safe_join

DIST = Path(__file__).resolve().parent.parent / "ui" / "dist"
"""Where a build lies beside the program."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""Compressed copies that a build makes of its files, the smallest first."""
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Ant Design Vue makes its styles when they are needed
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        # consoles, and files that go up to secondary storage, are at addresses of their own
        "connect-src 'self' http: https: ws: wss:",
        "frame-src 'self' http: https:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>cloudsim</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42em;margin:3em auto;padding:0 1em;color-scheme:light dark}</style>
</head><body><h1>cloudsim</h1>
<p>The web UI is not built here. With Node.js 18 or newer, and npm, <code>make run</code> builds it; so does</p>
<pre>cd ui &amp;&amp; npm ci &amp;&amp; npm run build</pre>
<p>Then load this page again. The API answers all the same, at <a href="/client/api">/client/api</a>;
<a href="/client/api?command=listApis&amp;response=json">listApis</a> tells its commands to those who log in.</p>
</body></html>
"""


def add_ui(app: flask.Flask, dist: Path = DIST) -> None:
    """Serve what is built in `dist`, or how to build it. A build made while the server runs is served at once."""

    @app.get("/client")
    def client_folder() -> flask.typing.ResponseReturnValue:
        return flask.redirect("client/", 308)

    @app.get("/client/")
    def client() -> flask.Response:
        index = dist / "index.html"
        if index.is_file():
            return _file(index, kept=False)
        response = flask.Response(_NOT_BUILT, content_type=_TYPES[".html"])
        response.headers["Cache-Control"] = "no-store"
        return _with_headers(response)

    @app.get("/client/<path:name>")
    def client_file(name: str) -> flask.Response:
        found = safe_join(str(dist), name)
        path = None if found is None else Path(found)
        if path is None or path.suffix not in _TYPES or not path.is_file():
            return _with_headers(flask.Response("There is no such file\n", 404, content_type=_TYPES[".txt"]))
        return _file(path, kept=path.parent.name == "assets" and path.parent.parent == dist)


def _file(path: Path, *, kept: bool) -> flask.Response:
    """The file, compressed where there is such a copy and the browser takes it. `kept`: it never changes."""
    encoding, sent = None, path
    accepted = flask.request.accept_encodings
    for name, ending in _ENCODINGS.items():
        copy = path.with_name(path.name + ending)
        if accepted.quality(name) > 0 and copy.is_file():
            encoding, sent = name, copy
            break
    response = flask.send_file(sent, mimetype=_TYPES[path.suffix], conditional=True, etag=True)
    response.headers["Content-Type"] = _TYPES[path.suffix]
    if encoding is not None:
        response.headers["Content-Encoding"] = encoding
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
    return _with_headers(response)


def _with_headers(response: flask.Response) -> flask.Response:
    response.headers.update(_HEADERS)
    return response

"""The lab's client of the API: what it sends, and what it makes of answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from server.api.authentication import signature_matches
from server.lab import client as client_module
from server.lab.client import ApiClient, ApiError

Reply = Callable[[dict[str, str]], tuple[int, Any]]


class FakeCloud:
    """Answers every command by `reply`, which a test sets; keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.reply: Reply = lambda sent: (200, {"x": {}})
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sent = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
                cloud.sent.append(sent)
                code, answer = cloud.reply(sent)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/client/api"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    monkeypatch.setattr(client_module, "_PAUSE", 0.01)
    found = FakeCloud()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def api(cloud: FakeCloud) -> ApiClient:
    return ApiClient(cloud.url, "key", "secret")


def test_calls_are_signed_whatever_is_in_them_and_leave_out_what_is_none(cloud: FakeCloud, api: ApiClient) -> None:
    api.call("createZone", name="a zone/with ~*[odd] signs+ä", dns1=None, ispublic=True)
    (sent,) = cloud.sent
    assert signature_matches(
        {name: value for name, value in sent.items() if name != "signature"}, sent["signature"], "secret"
    )
    assert (sent["name"], sent["ispublic"]) == ("a zone/with ~*[odd] signs+ä", "true")
    assert "dns1" not in sent


def test_a_refusal_is_told_in_the_clouds_words(cloud: FakeCloud, api: ApiClient) -> None:
    cloud.reply = lambda sent: (431, {"createzoneresponse": {"errorcode": 431, "errortext": "no such name"}})
    with pytest.raises(ApiError, match=r"^createZone: no such name$"):
        api.call("createZone")


@pytest.mark.parametrize("answer", [b"<html>", [1, 2], {"a": {}, "b": {}}])
def test_an_answer_that_is_none_is_an_error(cloud: FakeCloud, api: ApiClient, answer: Any) -> None:
    cloud.reply = lambda sent: (200, answer)
    with pytest.raises(ApiError, match="createZone: the answer is not understood"):
        api.call("createZone")


def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ApiError, match=r"listZones: no answer from http://127\.0\.0\.1:1/"):
        ApiClient("http://127.0.0.1:1/client/api", "k", "s").call("listZones")


def test_a_job_is_waited_for(cloud: FakeCloud, api: ApiClient) -> None:
    def reply(sent: dict[str, str]) -> tuple[int, Any]:
        if sent["command"] == "addTrafficType":
            return 200, {"addtraffictyperesponse": {"jobid": "j1"}}
        done = len(cloud.sent) > 3
        return 200, {"queryasyncjobresultresponse": {"jobstatus": int(done), "jobresult": {"type": 5} if done else None}}

    cloud.reply = reply
    assert api.job("addTrafficType") == {"type": 5}
    assert [sent.get("jobid") for sent in cloud.sent] == [None, "j1", "j1", "j1"]


def test_a_job_that_fails_says_why(cloud: FakeCloud, api: ApiClient) -> None:
    failed = {"jobid": "j", "jobstatus": 2, "jobresult": {"errortext": "out of VLANs"}}
    cloud.reply = lambda sent: (200, {"x": failed})
    with pytest.raises(ApiError, match=r"^addTrafficType: out of VLANs$"):
        api.job("addTrafficType")


def test_a_job_that_does_not_end_is_given_up(
    cloud: FakeCloud, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "JOB_WITHIN", 0.05)
    cloud.reply = lambda sent: (200, {"x": {"jobid": "j", "jobstatus": 0}})
    with pytest.raises(ApiError, match=r"addTrafficType: its job j is not done within 0\.05 s"):
        api.job("addTrafficType")


def test_a_listing_is_what_is_in_the_answer_or_empty(cloud: FakeCloud, api: ApiClient) -> None:
    cloud.reply = lambda sent: (200, {"x": {"count": 1, "host": [{"name": "h1"}]}})
    assert api.list("listHosts") == [{"name": "h1"}]
    cloud.reply = lambda sent: (200, {"x": {}})
    assert api.list("listHosts") == []

"""Webhooks: events are posted to a real HTTP server, signed, tried again, and kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.webhooks import WebhookSender
from tests.server.api.api_harness import Api, Client, refused


class Receiver:
    """An HTTP server that keeps what it gets, and answers with `status`."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(receiver.status)
                self.end_headers()
                self.wfile.write(b"thanks")

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?from=cloud"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def events(self) -> list[str]:
        return [json.loads(body).get("event", "") for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def cloud(api: Api) -> Iterator[Api]:
    sender = WebhookSender()
    api.manager.webhooks.deliver = sender.deliver
    yield api
    sender.close()


def _until(api: Api, holds: Callable[[], object]) -> None:
    """Let the cloud work until that is so."""

    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        api.run(asyncio.sleep(0.01))


def _deliveries(call: Client, **asked: Any) -> list[dict[str, Any]]:
    return list(call("listWebhookDeliveries", **asked).get("webhookdelivery", []))


def test_events_are_posted_and_signed(cloud: Api, admin: Client, receiver: Receiver) -> None:
    made = admin("createWebhook", name="w", payloadurl=receiver.url, secretkey="s3cret")["webhook"]
    assert (made["state"], made["scope"]) == ("Enabled", "Local")
    admin("createDomain", name="a")
    _until(cloud, lambda: "DOMAIN.CREATE" in receiver.events() and _deliveries(admin, eventtype="DOMAIN.CREATE"))
    headers, body = next(each for each in receiver.got if b"DOMAIN.CREATE" in each[1])
    assert headers["X-CS-Event"] == "DOMAIN.CREATE" and json.loads(body)["account"] == "admin"
    assert headers["X-CS-Signature"] == hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    (kept,) = _deliveries(admin, eventtype="DOMAIN.CREATE")
    assert kept["success"] and kept["response"] == "200 OK\nthanks" and kept["payload"] == body.decode()


def test_a_local_webhook_gets_its_accounts_events_and_a_global_one_all(cloud: Api, admin: Client, receiver: Receiver) -> None:
    _, ann = cloud.account("ann")
    _, bob = cloud.account("bob")
    ann("createWebhook", name="mine", payloadurl=receiver.url)
    refused(531, ann, "createWebhook", name="all", payloadurl=receiver.url, scope="Global")
    refused(531, ann, "createWebhook", name="all", payloadurl=receiver.url, scope="Domain")
    bob("createAffinityGroup", name="b", type="host affinity")
    ann("createAffinityGroup", name="a", type="host affinity")
    _until(cloud, lambda: "AFFINITY.GROUP.CREATE" in receiver.events())
    assert {json.loads(body)["account"] for _, body in receiver.got} == {"ann"}
    admin("createWebhook", name="all", payloadurl=receiver.url, scope="global")
    bob("createAffinityGroup", name="c", type="host affinity")
    _until(cloud, lambda: "bob" in {json.loads(body)["account"] for _, body in receiver.got})


def test_what_is_not_taken_is_tried_again_and_then_kept_as_failed(cloud: Api, admin: Client, receiver: Receiver) -> None:
    receiver.status = 503
    made = admin("createWebhook", name="w", payloadurl=receiver.url)["webhook"]
    _until(cloud, lambda: _deliveries(admin))
    assert len(receiver.got) == 3 and not _deliveries(admin)[0]["success"]
    receiver.status = 200
    again = admin("executeWebhookDelivery", id=_deliveries(admin)[0]["id"])["webhookdelivery"]
    assert again["success"] and again["eventtype"] == "WEBHOOK.CREATE"
    tried = admin("executeWebhookDelivery", webhookid=made["id"], payload='{"a":1}')["webhookdelivery"]
    assert tried["payload"] == '{"a":1}' and receiver.got[-1][1] == b'{"a":1}'


def test_a_server_that_is_not_there_is_told_of(cloud: Api, admin: Client) -> None:
    made = admin("createWebhook", name="w", payloadurl="http://127.0.0.1:1/", state="Disabled")["webhook"]
    sent = admin("executeWebhookDelivery", webhookid=made["id"])["webhookdelivery"]
    assert not sent["success"] and "Refused" in sent["response"]


def test_a_disabled_webhook_gets_nothing_and_the_last_deliveries_are_kept(cloud: Api, admin: Client, receiver: Receiver) -> None:
    made = admin("createWebhook", name="w", payloadurl=receiver.url, state="Disabled")["webhook"]
    admin("updateConfiguration", name="webhook.deliveries.limit", value="2")
    admin("createDomain", name="a")
    admin("updateWebhook", id=made["id"], state="Enabled")
    for name in "bcd":
        admin("createDomain", name=name)
    _until(cloud, lambda: receiver.events().count("DOMAIN.CREATE") == 3)
    _until(cloud, lambda: len(_deliveries(admin)) == 2)
    admin("deleteWebhook", id=made["id"])
    assert _deliveries(admin) == [] and admin("listWebhooks") == {}


def test_bad_webhooks_are_refused(cloud: Api, admin: Client, receiver: Receiver) -> None:
    admin("createWebhook", name="w", payloadurl=receiver.url)
    assert "exists" in refused(431, admin, "createWebhook", name="w", payloadurl=receiver.url).text
    for url in ("ftp://a/", "http://", "nonsense"):
        assert "payloadurl" in refused(431, admin, "createWebhook", name="v", payloadurl=url).text
    refused(431, admin, "createWebhook", name="v", payloadurl=receiver.url, scope="Everywhere")
    assert [row["name"] for row in admin("listWebhooks")["webhook"]] == ["w"]

"""A served simulated cloud: what its API says can be fetched can be fetched, and what it expects can be sent."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.storage_door import content_of
from tests.server.serving import Connection, ServerProcess

DATACENTER = """
zones:
- public: {start_ip: 198.51.100.10, end_ip: 198.51.100.60, netmask: 255.255.255.0, gateway: 198.51.100.1}
  pods: [{racks: [{hosts: 4}]}]
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("storage-door")
    (folder / "dc.yaml").write_text(DATACENTER)
    server = ServerProcess(folder / "data", "--datacenter", str(folder / "dc.yaml"), "--pace", "60x")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def call(served: ServerProcess) -> Connection:
    return connected(served)


def connected(served: ServerProcess) -> Connection:
    """A client, once there is a storage VM."""
    call = served.connect()

    def vms() -> Any:
        return call("listSystemVms", systemvmtype="secondarystoragevm").get("systemvm", [])

    until(vms, lambda found: any(vm["state"] == "Running" for vm in found))
    return call


def until(look: Callable[[], Any], right: Callable[[Any], bool]) -> Any:
    """What `look` finds once it is `right`."""
    end = time.monotonic() + 60
    while not right(found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def http_of(method: str, url: str, body: Any = None, **headers: str) -> tuple[int, bytes, Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"{parts.path}?{parts.query}", body, named)
    answer = connection.getresponse()
    found = answer.status, answer.read(), answer.headers
    connection.close()
    return found


def extracted(call: Connection) -> dict[str, Any]:
    template = call("listTemplates", templatefilter="featured")["template"][0]
    job = call("extractTemplate", id=template["id"], zoneid=template["zoneid"], mode="HTTP_DOWNLOAD")
    found: dict[str, Any] = call.job(job["jobid"])["template"]
    return found


def test_a_template_can_be_fetched_at_its_url(call: Connection, served: ServerProcess) -> None:
    made = extracted(call)
    assert made["state"] == "DOWNLOAD_URL_CREATED" and made["url"].startswith(f"{served.url}/userdata/")
    status, _, headers = http_of("HEAD", made["url"])
    assert (status, headers["Content-Length"]) == (200, str(1 << 30))
    status, body, headers = http_of("GET", made["url"], Range="bytes=4000-5000")
    assert status == 206 and len(body) == 1001 and b" at 4096\n" in body
    assert headers["Content-Range"] == f"bytes 4000-5000/{1 << 30}"
    assert extracted(call)["url"] == made["url"], "as long as it is good for"


def test_a_url_that_was_changed_opens_nothing(call: Connection) -> None:
    url = extracted(call)["url"]
    for wrong in (url.replace("signature=", "signature=a"), url.replace("expires=", "expires=9")):
        assert http_of("GET", wrong)[0] == 403
    assert http_of("GET", url.replace("/userdata/", "/userdata/0"))[0] == 404


def test_what_is_sent_becomes_a_volume(call: Connection) -> None:
    zone = call("listZones")["zone"][0]["id"]
    asked = call("getUploadParamsForVolume", name="sent", zoneid=zone, format="QCOW2")["getuploadparams"]
    (volume,) = call("listVolumes", id=asked["id"])["volume"]
    assert volume["state"] == "NotUploaded"
    content = bytes(10 << 20)
    assert http_of("POST", asked["postURL"], content, X_signature="wrong")[0] == 403
    assert http_of("POST", asked["postURL"], content, X_signature=asked["signature"])[0] == 200
    (volume,) = until(
        lambda: call("listVolumes", id=asked["id"])["volume"], lambda found: found[0]["state"] == "Uploaded"
    )
    assert volume["size"] == len(content)
    assert http_of("POST", asked["postURL"], content, X_signature=asked["signature"])[0] == 409


def test_downloads_and_urls_outlive_a_killed_server(tmp_path: Path) -> None:
    (tmp_path / "dc.yaml").write_text(DATACENTER)
    options = ("--datacenter", str(tmp_path / "dc.yaml"), "--pace", "60x")
    with ServerProcess(tmp_path / "data", *options) as server:
        call = connected(server)
        url = extracted(call)["url"]
        zone = call("listZones")["zone"][0]["id"]
        asked = {"name": "big", "displaytext": "big", "hypervisor": "Simulator", "format": "QCOW2", "zoneid": zone}
        url_of_it = "http://images.example/big.qcow2?size=49g"
        template = call("registerTemplate", url=url_of_it, **asked)["template"][0]["id"]
        until(lambda: listed(call, template), lambda row: row["status"] not in ("0% Downloaded", ""))
        server.kill()
    with ServerProcess(tmp_path / "data", *options) as server:
        call = connected(server)
        row = until(lambda: listed(call, template), lambda row: bool(row["isready"]))
        assert row["status"] == "Download Complete" and row["physicalsize"] == 49 << 30
        moved = server.url + url[url.index("/userdata/") :]
        until(lambda: http_of("HEAD", moved)[0], lambda status: status == 200)
        assert extracted(call)["url"] == moved
        assert server.stop() == 0, server.output


def listed(call: Connection, template: str) -> dict[str, Any]:
    found: dict[str, Any] = call("listTemplates", templatefilter="self", id=template)["template"][0]
    return found


@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_a_piece_of_a_simulated_file_is_the_same_however_it_is_asked_for(first: int, count: int) -> None:
    whole = b"".join(content_of("templates/t", 0, 200_000))
    assert len(whole) == 200_000
    assert b"".join(content_of("templates/t", first, count)) == whole[first : first + count]


def test_a_very_long_path_fits_a_block(tmp_path: Path) -> None:
    assert len(b"".join(content_of("p" * 5000, 0, 10_000))) == 10_000

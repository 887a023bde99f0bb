"""What clients get at a storage VM's door, and what they may send."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.systemvm.secstorage.bodies import first_file
from backends.systemvm.secstorage.errors import BrokeOff, TransferError
from tests.backends.systemvm.secstorage.conftest import KEY, STORE, Service, qcow2
from tests.backends.systemvm.secstorage.image_server import MIB

CONTENT = qcow2(MIB)


@pytest.fixture
def url(service: Service) -> str:
    service.file("templates").mkdir()
    service.file("templates/a.qcow2").write_bytes(CONTENT)
    return service.publish("templates/a.qcow2", name="Debian 12.qcow2")


# files


def test_who_has_the_url_gets_the_file(service: Service, url: str) -> None:
    answer = service.http("GET", url)
    assert (answer.status, answer.content) == (200, CONTENT)  # type: ignore[attr-defined]
    assert answer.headers["Content-Length"] == str(MIB)
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''Debian%2012.qcow2"
    head = service.http("HEAD", url)
    assert (head.status, head.headers["Content-Length"], head.content) == (200, str(MIB), b"")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("signature=", "signature=x"),
        lambda url: url.partition("&signature")[0],
        lambda url: url.replace("expires=", "expires=9"),
        lambda url: url.partition("?")[0],
    ],
)
def test_a_url_that_was_changed_opens_nothing(service: Service, url: str, change: object) -> None:
    assert service.http("GET", change(url)).status == 403  # type: ignore[operator]


def test_an_expired_url_is_gone_and_a_withdrawn_one_not_found(service: Service, url: str) -> None:
    late = service.publish("templates/a.qcow2", "late", expires=time.time() - 1)
    assert service.http("GET", late).status == 410
    service.ask("CancelTransfer")
    assert service.http("GET", url).status == 404
    assert service.file("templates/a.qcow2").exists()


@pytest.mark.parametrize("path", ["/", "/userdata/", "/userdata/../stores.json", "/templates/a.qcow2", "/upload/x"])
def test_nothing_else_is_served(service: Service, url: str, path: str) -> None:
    assert service.http("GET", path).status == 404


def test_a_file_that_is_not_there_is_not_published(service: Service) -> None:
    asked = {"store_url": STORE, "path": "templates/none", "name": "a", "key_hash": "", "expires": time.time() + 9}
    found = service.ask("PublishFile", **asked)
    assert found["state"] == "Failed" and "there is no templates/none" in found["reason"]


@given(first=st.integers(0, MIB - 1), length=st.integers(1, MIB))
def test_any_range_of_it_can_be_asked_for(first: int, length: int) -> None:
    service, url = _served()
    last = min(first + length, MIB) - 1
    answer = service.http("GET", url, headers={"Range": f"bytes={first}-{first + length - 1}"})
    assert (answer.status, answer.content) == (206, CONTENT[first : last + 1])  # type: ignore[attr-defined]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{MIB}"


_kept: list[tuple[Service, str]] = []


def _served() -> tuple[Service, str]:
    return _kept[0]


@pytest.fixture(scope="module", autouse=True)
def _keep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    service = Service(tmp_path_factory.mktemp("door"))
    service.file("a.qcow2").write_bytes(CONTENT)
    _kept.append((service, service.publish("a.qcow2")))
    yield
    _kept.clear()
    service.close()


def test_other_ways_of_asking_for_ranges(service: Service, url: str) -> None:
    def content(asked: str, **more: str) -> tuple[int, bytes]:
        answer = service.http("GET", url, headers={"Range": asked, **more})
        return answer.status, answer.content  # type: ignore[attr-defined]

    assert content("bytes=-10") == (206, CONTENT[-10:])
    assert content(f"bytes={MIB - 3}-") == (206, CONTENT[-3:])
    assert content(f"bytes={MIB}-")[0] == 416
    assert content("bytes=1-2,5-6") == (200, CONTENT)
    tag = service.http("HEAD", url).headers["ETag"]
    assert content("bytes=0-1", **{"If-Range": tag}) == (206, CONTENT[:2])
    assert content("bytes=0-1", **{"If-Range": '"other"'}) == (200, CONTENT)


# uploads


def send(service: Service, body: object, upload: str = "u", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return service.http("POST", f"/upload/{upload}", body, {"X-signature": KEY, **named}).status


def form(content: bytes) -> bytes:
    return (
        b'--cut\r\nContent-Disposition: form-data; name="about"\r\n\r\nhello\r\n'
        b'--cut\r\nContent-Disposition: form-data; name="files[]"; filename="a.qcow2"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--cut--\r\n"
    )


@pytest.mark.parametrize("way", ["plain", "chunked", "form"])
def test_what_is_sent_is_in_its_place(service: Service, way: str) -> None:
    assert service.expect()["state"] == "Published"
    if way == "form":
        assert send(service, form(CONTENT), Content_Type="multipart/form-data; boundary=cut") == 200
    elif way == "plain":
        assert send(service, CONTENT) == 200
    else:
        pieces = (CONTENT[n : n + 100_000] for n in range(0, MIB, 100_000))
        assert send(service, pieces) == 200
    done = service.status("u")
    assert (done["state"], done["size"], done["virtual_size"]) == ("Done", MIB, 10 << 30)
    assert service.file("volumes/u.qcow2").read_bytes() == CONTENT
    assert service.files() == {"volumes/u.qcow2"}
    assert send(service, CONTENT) == 409


def test_who_has_no_right_to_send_is_refused(service: Service) -> None:
    service.expect()
    service.expect("late", expires=time.time() - 1)
    assert send(service, CONTENT, X_signature="wrong") == 403
    assert send(service, CONTENT, "late") == 410
    assert send(service, CONTENT, "unknown") == 404
    assert service.files() == set() and service.status("u")["state"] == "Published"


def test_what_is_not_wanted_is_refused_and_not_kept(service: Service) -> None:
    service.expect("big", largest=MIB - 1)
    service.expect("sum", checksum=hashlib.sha256(b"other").hexdigest())
    service.expect("text")
    assert send(service, CONTENT, "big") == 400
    assert send(service, CONTENT, "sum") == 400
    assert send(service, b"hello, world\n" * 100, "text") == 400
    assert "no more than" in service.status("big")["reason"]
    assert "has the checksum" in service.status("sum")["reason"]
    assert "is no qcow2 image, but a text" in service.status("text")["reason"]
    assert service.files() == set()


def test_one_that_breaks_off_may_be_sent_again(service: Service) -> None:
    service.expect()

    def becomes(state: str) -> None:
        end = time.monotonic() + 60
        while service.status("u")["state"] != state:
            assert time.monotonic() < end
            time.sleep(0.01)

    def breaking() -> Iterator[bytes]:
        yield CONTENT[: MIB // 2]
        becomes("Running")
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        send(service, breaking(), Content_Length=str(MIB))
    becomes("Published")
    assert service.files() == set()
    assert send(service, CONTENT) == 200


def test_a_page_of_any_site_may_send(service: Service) -> None:
    service.expect()
    asked = service.http("OPTIONS", "/upload/u")
    assert asked.status == 204 and asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "x-signature" in asked.headers["Access-Control-Allow-Headers"]
    sent = service.http("POST", "/upload/u", CONTENT, {"X-signature": KEY})
    assert sent.headers["Access-Control-Allow-Origin"] == "*"


@given(
    content=st.binary(max_size=2000) | st.sampled_from([b"", b"\r\n", b"\r\n--cu", b"--cut", b"\r\n\r\n"]),
    cuts=st.lists(st.integers(1, 300), max_size=40),
)
def test_a_form_is_read_in_whatever_pieces_it_comes(content: bytes, cuts: list[int]) -> None:
    if b"\r\n--cut" in content:
        return
    whole = form(content)

    def pieces() -> Iterator[bytes]:
        at = 0
        for cut in cuts:
            yield whole[at : at + cut]
            at += cut
        yield whole[at:]

    assert b"".join(first_file(pieces(), b"cut")) == content


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", TransferError),
        (b"--cut--\r\n", TransferError),
        (b'--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--cut--\r\n', TransferError),
        (form(b"hello")[:-20], BrokeOff),
    ],
)
def test_a_form_without_a_whole_file_is_refused(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        list(first_file(iter([body]), b"cut"))

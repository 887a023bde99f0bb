"""The HTTP door: sessions, cookies, methods, health and metrics, on a loop in another thread."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from server.api.authentication import canonical, sign
from server.api.door import create_app, create_integration_app
from tests.server.api.api_harness import PASSWORD, Api


@pytest.fixture
def running(api: Api) -> Iterator[Api]:
    """The cloud with its loop running in a thread of its own."""
    thread = threading.Thread(target=api.loop.run_forever)
    thread.start()
    yield api
    api.loop.call_soon_threadsafe(api.loop.stop)
    thread.join()


@pytest.fixture
def http(running: Api) -> FlaskClient:
    return create_app(running.manager, running.loop, timeout=5, dispatcher=running.dispatcher).test_client()


def log_in(http: FlaskClient, password: str = PASSWORD, **more: str) -> Any:
    form = {"command": "login", "username": "admin", "password": password, "domain": "/", "response": "json"} | more
    return http.post("/client/api", data=form)


def test_a_session_from_login_to_logout(http: FlaskClient) -> None:
    answer = log_in(http)
    body = answer.json["loginresponse"]
    assert answer.status_code == 200 and body["username"] == "admin" and body["type"] == "1"
    assert isinstance(body["timeout"], int) and body["registered"] == "true"
    cookies = {c.split("=")[0]: c for c in answer.headers.getlist("Set-Cookie")}
    assert set(cookies) == {"JSESSIONID", "sessionkey"}
    assert all("HttpOnly" in c and "SameSite=Lax" in c for c in cookies.values())
    call = {"command": "listDomains", "response": "json", "sessionkey": body["sessionkey"]}
    assert http.get("/client/api/", query_string=call).json["listdomainsresponse"]["count"] == 1
    assert http.get("/client/api", query_string=call | {"command": "nothing"}).status_code == 432
    assert http.get("/client/api", query_string={"command": "logout", "response": "json"}).status_code == 200
    assert http.get("/client/api", query_string=call).status_code == 401


def test_a_login_names_its_domain_by_id_or_by_path(running: Api, http: FlaskClient) -> None:
    root = running.manager.identity.domains.root.id
    for form in ({"domainId": root, "domain": ""}, {"domain": "/"}, {"domain": "ROOT"}):
        assert log_in(http, **form).json["loginresponse"]["domainid"] == root
    assert log_in(http, domainId="no such domain").status_code == 531


@pytest.mark.parametrize("key", [None, "wrong"])
def test_a_call_without_the_session_key_ends_the_session(http: FlaskClient, key: str | None) -> None:
    right = log_in(http).json["loginresponse"]["sessionkey"]
    call = {"command": "listDomains", "response": "json"}
    assert http.get("/client/api", query_string=call | ({"sessionkey": key} if key else {})).status_code == 401
    assert http.get("/client/api", query_string=call | {"sessionkey": right}).status_code == 401


@pytest.mark.parametrize("wrong", [{"password": "no"}, {"username": "nobody"}, {"domain": "/elsewhere"}])
def test_a_wrong_login_is_531(http: FlaskClient, wrong: dict[str, str]) -> None:
    answer = log_in(http, **wrong)
    assert answer.status_code == 531 and answer.json["loginresponse"]["errorcode"] == 531
    assert "Set-Cookie" not in answer.headers


def test_the_system_user_cannot_log_in(http: FlaskClient) -> None:
    assert log_in(http, username="system", password="x").status_code == 531


def test_sessions_time_out_and_end_with_a_new_password(running: Api, http: FlaskClient) -> None:
    key = log_in(http).json["loginresponse"]["sessionkey"]
    call = {"command": "listDomains", "response": "json", "sessionkey": key}
    assert http.get("/client/api", query_string=call).status_code == 200
    running.dispatcher.sessions.timeout = -1
    assert http.get("/client/api", query_string=call).status_code == 401
    running.dispatcher.sessions.timeout = 1800
    call["sessionkey"] = log_in(http).json["loginresponse"]["sessionkey"]
    change = call | {"command": "updateUser", "id": running.user("admin").id, "password": "new"}
    assert http.post("/client/api", data=change).status_code == 200
    assert http.get("/client/api", query_string=call).status_code == 401
    assert log_in(http, password="new").status_code == 200


def test_a_disabled_user_is_out_at_once(running: Api, http: FlaskClient) -> None:
    made: list[Any] = []

    async def make() -> None:
        accounts = running.manager.identity.accounts
        root = running.manager.identity.domains.root
        made.append(accounts.create(None, name="ann", username="ann", password="x", domain=root, type=0))

    asyncio.run_coroutine_threadsafe(make(), running.loop).result()
    key = log_in(http, username="ann", password="x").json["loginresponse"]["sessionkey"]
    call = {"command": "listUsers", "response": "json", "sessionkey": key}
    assert http.get("/client/api", query_string=call).status_code == 200

    async def lock() -> None:
        running.manager.identity.accounts.set_state(made[0], "locked")

    asyncio.run_coroutine_threadsafe(lock(), running.loop).result()
    assert http.get("/client/api", query_string=call).status_code == 401


def test_signed_get_and_post(running: Api, http: FlaskClient) -> None:
    user = running.user("admin")
    assert user.api_key and user.secret_key
    pairs = {"command": "listDomains", "response": "json", "keyword": "RO OT*", "apikey": user.api_key}
    pairs["signature"] = sign(canonical(pairs), user.secret_key)
    assert http.get("/client/api", query_string=pairs).status_code == 200
    assert http.post("/client/api", data=pairs).status_code == 200
    tampered = pairs | {"keyword": "x"}
    answer = http.get("/client/api", query_string=tampered)
    assert answer.status_code == 401 and answer.content_type.startswith("application/json")
    assert answer.headers["X-Description"] == "unable to verify user credentials and/or request signature"


def test_the_integration_port_reads_the_query_only(running: Api) -> None:
    app = create_integration_app(running.manager, running.loop, dispatcher=running.dispatcher).test_client()
    call = {"command": "listUsers", "response": "json"}
    assert app.get("/client/api", query_string=call).json["listusersresponse"]["user"][0]["username"] == "system"
    assert app.post("/client/api", data=call).status_code == 432
    assert app.get("/health").status_code == 404


def test_a_long_answer_is_compressed_for_clients_that_take_it(running: Api, http: FlaskClient) -> None:
    key = log_in(http).json["loginresponse"]["sessionkey"]
    call = {"command": "listApis", "response": "json", "sessionkey": key}
    plain = http.get("/client/api", query_string=call)
    small = http.get("/client/api", query_string=call, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers and small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == plain.data and len(small.data) < len(plain.data) / 5
    short = http.get("/client/api", query_string=call | {"command": "listDomains"}, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in short.headers


def test_parallel_requests(running: Api, http: FlaskClient) -> None:
    app = create_integration_app(running.manager, running.loop, dispatcher=running.dispatcher)

    def create(n: int) -> int:
        query = {"command": "createDomain", "name": f"d{n}", "response": "json"}
        return int(app.test_client().get("/client/api", query_string=query).status_code)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(create, range(40))) == {200}
    query = {"command": "listDomains", "response": "json"}
    assert app.test_client().get("/client/api", query_string=query).json["listdomainsresponse"]["count"] == 41


def test_pages_health_and_metrics(running: Api, http: FlaskClient) -> None:
    assert http.get("/").headers["Location"].endswith("/client/")
    assert http.get("/health").json["status"] == "up"
    log_in(http)
    http.get("/client/api?command=<script>")
    text = http.get("/metrics").data.decode()
    assert 'cloudsim_api_requests_total{command="login",status="200"} 1.0' in text
    assert 'command="unknown"' in text and "script" not in text
    assert 'cloudsim_hosts{state="Up"} 0.0' in text and 'cloudsim_virtual_machines{state="Running"} 0.0' in text


def test_refusals_of_http_itself_keep_the_apis_form(running: Api, http: FlaskClient) -> None:
    http.application.config["MAX_CONTENT_LENGTH"] = 100
    answer = http.post("/client/api", data={"command": "listDomains", "name": "x" * 1000})
    assert answer.status_code == 413 and answer.json["errorresponse"]["errorcode"] == 413
    assert http.put("/client/api").json["errorresponse"]["errorcode"] == 405


@pytest.mark.filterwarnings("ignore:coroutine.*never awaited")
def test_a_loop_that_does_not_answer(api: Api) -> None:
    app = create_app(api.manager, api.loop, timeout=0.05, dispatcher=api.dispatcher).test_client()
    answer = app.get("/client/api?command=listDomains&response=json")
    assert answer.status_code == 530 and "did not answer" in answer.json["errorresponse"]["errortext"]
    assert app.get("/health").status_code == 503

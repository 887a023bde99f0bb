"""`cloudsim serve --database`: the cloud's state in PostgreSQL, and a second manager that takes over."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server.database.postgresql_server import PostgresqlServer
from tests.server.serving import ONE_RACK, START_WITHIN, ServerProcess


@pytest.fixture
def name(postgresql: PostgresqlServer) -> str:
    return postgresql.create()


@pytest.fixture
def url(postgresql: PostgresqlServer, name: str) -> str:
    return postgresql.url(name)


@pytest.fixture
def datacenter(tmp_path: Path) -> str:
    path = tmp_path / "datacenter.yaml"
    path.write_text(ONE_RACK)
    return str(path)


def test_a_killed_cloud_goes_on_from_its_database_and_its_folder_remembers_which(
    tmp_path: Path, url: str, datacenter: str
) -> None:
    data = tmp_path / "data"
    first = ServerProcess(data, "--datacenter", datacenter, "--database", url)
    call = first.connect()
    made = call("createDomain", name="kept")["domain"]["id"]
    metrics = call("listDbMetrics")["dbMetrics"]
    first.kill()
    assert metrics["versioncomment"] == "PostgreSQL"
    assert not (data / "cloud.db").exists()

    second = ServerProcess(data)
    assert [each["name"] for each in second.connect()("listDomains", id=made)["domain"]] == ["kept"]
    assert second.stop() == 0


def test_another_manager_waits_and_takes_over_when_the_first_is_killed(
    tmp_path: Path, postgresql: PostgresqlServer, name: str, url: str, datacenter: str
) -> None:
    data = tmp_path / "data"
    first = ServerProcess(data, "--datacenter", datacenter, "--database", url)
    made = first.connect()("createDomain", name="kept")["domain"]["id"]
    with ThreadPoolExecutor(1) as other:
        taking_over = other.submit(ServerProcess, data)
        eventually(lambda: postgresql.connections(name) == 2)
        assert not taking_over.done()
        first.kill()
        second = taking_over.result()
    assert [each["name"] for each in second.connect()("listDomains", id=made)["domain"]] == ["kept"]
    assert second.stop() == 0


def test_a_manager_that_waits_stops_when_it_is_asked_to(
    tmp_path: Path, postgresql: PostgresqlServer, name: str, url: str, datacenter: str
) -> None:
    data = tmp_path / "data"
    first = ServerProcess(data, "--datacenter", datacenter, "--database", url)
    waiting = ServerProcess.launch(data)
    eventually(lambda: postgresql.connections(name) == 2)
    waiting.terminate()
    assert waiting.wait(60) == 0
    assert first.stop() == 0


def eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + START_WITHIN
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def said(data: Path, *options: str) -> str:
    """What a server says that does not start."""
    process = ServerProcess.launch(data, *options)
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    return output


def test_a_folder_belongs_to_one_database(tmp_path: Path, url: str, datacenter: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    ServerProcess(here, "--datacenter", datacenter).stop()
    assert "leave --database out" in said(here, "--database", url)
    ServerProcess(there, "--datacenter", datacenter, "--database", url).stop()
    assert "leave --database out" in said(there, "--database", url.replace("cloud@/", "cloud@/other_"))


@pytest.mark.parametrize("wrong", ["mysql://localhost/cloud", "cloud.db", "postgresql"])
def test_what_is_no_url_of_postgresql_is_refused(tmp_path: Path, wrong: str) -> None:
    assert "--database" in said(tmp_path / "data", "--database", wrong)
    assert not (tmp_path / "data").exists()

"""What the management server and its database say of themselves."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil

from server.bootstrap import keep
from server.database.journal import DatabaseJournal
from server.database.opening import open_database
from tests.server.api.api_harness import Api, refused


def test_the_server_tells_what_it_takes_of_its_machine(api: Api) -> None:
    (plain,) = api.admin("listManagementServers")["managementserver"]
    (shown,) = api.admin("listManagementServersMetrics")["managementserver"]
    assert plain.items() <= shown.items()
    assert shown["availableprocessors"] == os.cpu_count()
    assert 1 << 20 < shown["heapmemoryused"] < shown["heapmemorytotal"] <= psutil.virtual_memory().total
    assert shown["systemmemorytotal"] == f"{psutil.virtual_memory().total / 2**30:.2f} GB"
    states = [shown[f"threads{state}count"] for state in ("runnable", "waiting", "blocked", "teminated")]
    assert sum(states) == shown["threadstotalcount"] >= shown["threadsdaemoncount"] and states[0] >= 1
    assert len(shown["systemloadaverages"]) == len(shown["systemcycleusage"]) == 3
    assert shown["javaversion"] == platform.python_version() and shown["usageislocal"] is True
    assert shown["lastboottime"] < shown["lastserverstart"] < shown["collectiontime"]
    assert shown["sessions"] == 0
    api.system("login", username="admin", password="password")
    assert (
        api.admin("listManagementServersMetrics", name=shown["name"])["managementserver"][0]["sessions"] == 1
    )
    assert api.admin("listManagementServersMetrics", name="another") == {}
    _, ann = api.account("ann")
    refused(401, ann, "listManagementServersMetrics")


def test_the_database_tells_what_it_is_and_how_much_it_was_told(api: Api, tmp_path: Path) -> None:
    assert "no database" in refused(432, api.admin, "listDbMetrics").text
    engine = open_database(tmp_path / "cloud.db")
    journal = DatabaseJournal(engine)
    try:
        api.run(keep(api.store, journal))
        before = api.admin("listDbMetrics")["dbMetrics"]
        assert (before["versioncomment"], before["version"][0]) == ("SQLite", "3")
        api.admin("createDomain", name="a")
        after = api.admin("listDbMetrics")["dbMetrics"]
        assert after["queries"] > before["queries"] and after["uptime"] >= 0
        assert after["replicas"] == [] and len(after["dbloadaverages"]) <= 1
        assert api.admin("listManagementServersMetrics")["managementserver"][0]["dbislocal"] is True
    finally:
        api.store.journal = None
        journal.close()
        engine.dispose()

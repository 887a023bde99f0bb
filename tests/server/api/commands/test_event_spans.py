"""Events chosen by when what they tell of began, and by how long it took."""

from __future__ import annotations

from tests.server.api.commands.cloud_api import CloudApi


def test_events_are_chosen_by_when_something_began_and_how_long_it_took(cloud_api: CloudApi) -> None:
    admin, cloud = cloud_api.admin, cloud_api.cloud
    snapshot = admin("createSnapshot", volumeid=cloud.root(cloud.deploy()).id)["snapshot"]["id"]

    def states(**wanted: int) -> list[str]:
        rows = cloud_api.listed("listEvents", "event", type="SNAPSHOT.CREATE", resourceid=snapshot, **wanted)
        return [row["state"] for row in rows]

    every = states()
    assert len(every) > 1 and set(every) >= {"Completed"}
    assert states(duration=0) == every and states(duration=10_000) == []
    cloud.wait(20_000)
    assert states(entrytime=10_000) == [] and states(entrytime=100_000) == every
    assert states(duration=10_000) == []  # it was over long before

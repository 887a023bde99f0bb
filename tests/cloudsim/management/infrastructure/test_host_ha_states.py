"""The states of a watched host, whatever its provider finds and whenever the operator intervenes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudsim.management.infrastructure.host_ha_providers import Told
from cloudsim.management.infrastructure.host_ha_states import TRANSITIONS, HaEvent, HaState
from cloudsim.model import Host, HostHa
from tests.cloudsim.management.cloud_harness import Cloud


def test_every_state_but_disabled_is_come_to_and_left_and_every_event_leads_somewhere() -> None:
    states, events = set(get_args(HaState)), set(get_args(HaEvent))
    assert {before for before, _ in TRANSITIONS} == states
    assert set(TRANSITIONS.values()) == states - {"Disabled"}
    assert {event for _, event in TRANSITIONS} == events - {"DisabledHA"}


def test_a_host_is_only_reset_or_switched_off_after_its_activity_was_checked() -> None:
    to_recovering = {before for (before, _), after in TRANSITIONS.items() if after == "Recovering"}
    to_fencing = {before for (before, _), after in TRANSITIONS.items() if after == "Fencing"}
    assert to_recovering == {"Checking", "Recovering"} and to_fencing == {"Recovering", "Fencing"}


steps = st.one_of(
    st.tuples(st.just("told"), st.builds(Told, st.booleans(), st.booleans(), st.booleans(), st.booleans())),
    st.tuples(st.sampled_from(["off", "on", "maintenance", "service"]), st.none()),
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    made = Cloud()
    yield made
    made.close()


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=st.lists(st.tuples(steps, st.sampled_from([0, 3, 11, 40, 200])), max_size=12))
def test_whatever_is_found_a_healthy_host_in_service_becomes_available(
    cloud: Cloud, plan: list[tuple[tuple[str, Told | None], float]]
) -> None:
    watch = cloud.manager.host_ha
    hosts = cloud.table(Host)
    host = next(iter(hosts))
    broken: list[str] = []
    catching = logging.Handler(logging.ERROR)
    catching.emit = lambda record: broken.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("cloudsim").addHandler(catching)

    def service(state: str) -> None:
        with cloud.store.transaction():
            hosts.update(host.id, resource_state=state)

    cloud.call(watch.configure, host, "SimulatorHAProvider")
    cloud.call(watch.switch_host, host, True)
    for (what, told), pause in plan:
        match what:
            case "told":
                cloud.call(watch.tell, hosts[host.id], told)
            case "off" | "on":
                cloud.call(watch.switch_host, hosts[host.id], what == "on")
            case "maintenance" | "service":
                service("Maintenance" if what == "maintenance" else "Enabled")
        cloud.wait(pause)
        (row,) = cloud.table(HostHa)
        assert (row.state == "Disabled") == (not row.enabled)
    cloud.call(watch.tell, hosts[host.id], Told(True, True, True, True))
    cloud.call(watch.switch_host, hosts[host.id], True)
    cloud.wait(120)
    service("Enabled")
    cloud.wait(120)
    logging.getLogger("cloudsim").removeHandler(catching)
    (row,) = cloud.table(HostHa)
    assert row.state == "Available" and hosts[host.id].state == "Up" and broken == []

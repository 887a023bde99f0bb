"""Schedules of instances: what is done to them, and when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.schedule_times import next_cron
from cloudsim.model import VmSchedule
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks

DAY = 86_400.0


def _daily_at(cloud: TwoRacks, seconds: float) -> str:
    """The cron expression of the minute that is so many seconds away, every day."""
    when = datetime.fromtimestamp(cloud.world.now() + seconds, UTC)
    return f"{when.minute} {when.hour} * * *"


def test_an_instance_is_stopped_and_started_at_its_times(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    stop, start = _daily_at(cloud, 3600), _daily_at(cloud, 7200)
    ours = {"virtualmachineid": vm["id"], "timezone": "UTC"}
    cloud.admin("createVMSchedule", **ours, action="STOP", schedule=stop)
    cloud.admin("createVMSchedule", **ours, action="start", schedule=start)
    cloud.cloud.wait(3700)
    assert cloud.state(vm["id"]) == "Stopped" and vm["instancename"] not in cloud.running()
    cloud.cloud.wait(3600)
    assert cloud.state(vm["id"]) == "Running" and vm["instancename"] in cloud.running()
    assert cloud.events(vm["id"]).count("VM.SCHEDULE.EXECUTE") == 2
    cloud.cloud.wait(DAY - 3600)
    assert cloud.state(vm["id"]) == "Stopped"


def test_the_schedules_of_an_instance_go_with_it_to_the_host_that_it_is_left_to(cloud: TwoRacks) -> None:
    vm, other = cloud.deploy(), cloud.deploy("other")
    for each in (vm, other):
        asked = {"virtualmachineid": each["id"], "timezone": "UTC", "schedule": _daily_at(cloud, 3600)}
        cloud.admin("createVMSchedule", **asked, action="STOP")
    cloud.admin("unmanageVirtualMachine", id=vm["id"])
    assert [row.vm_id for row in cloud.store.table(VmSchedule)] == [other["id"]]
    cloud.cloud.wait(3700)
    assert vm["instancename"] in cloud.running() and other["instancename"] not in cloud.running()


def test_a_schedule_works_between_its_dates_and_while_it_is_enabled(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    ours = {"virtualmachineid": vm["id"], "timezone": "UTC", "schedule": "* * * * *"}
    end = datetime.fromtimestamp(cloud.world.now() + 7200, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
    made = cloud.admin("createVMSchedule", **ours, action="REBOOT", enddate=end, enabled=False)["vmschedule"]
    cloud.cloud.wait(600)
    assert "VM.REBOOT" not in cloud.events(vm["id"])
    cloud.admin("updateVMSchedule", id=made["id"], enabled=True, schedule="0 * * * *")
    cloud.cloud.wait(DAY)
    assert cloud.events(vm["id"]).count("VM.REBOOT") in (1, 2)  # full hours before the end


def test_schedules_are_listed_and_deleted(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    ours = {"virtualmachineid": vm["id"], "timezone": "Europe/Oslo"}
    one = cloud.admin("createVMSchedule", **ours, action="STOP", schedule="0 22 * * 1-5")["vmschedule"]
    two = cloud.admin("createVMSchedule", **ours, action="START", schedule="0 6 * * 1-5")["vmschedule"]
    listed = cloud.admin("listVMSchedule", virtualmachineid=vm["id"])["vmschedule"]
    assert [row["id"] for row in listed] == [one["id"], two["id"]] and listed[0]["timezone"] == "Europe/Oslo"
    assert cloud.admin("listVMSchedule", virtualmachineid=vm["id"], action="start")["count"] == 1
    cloud.admin("deleteVMSchedule", virtualmachineid=vm["id"], ids=f"{one['id']},{two['id']}")
    assert cloud.admin("listVMSchedule", virtualmachineid=vm["id"]) == {}


def test_bad_schedules_are_refused_and_change_nothing(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    ours = {"virtualmachineid": vm["id"], "timezone": "UTC", "action": "STOP", "schedule": "0 1 * * *"}
    for wrong in (
        {"action": "EXPLODE"},
        {"schedule": "every day"},
        {"schedule": "61 * * * *"},
        {"timezone": "Middle/Earth"},
        {"enddate": "2001-01-01"},
    ):
        refused(431, cloud.admin, "createVMSchedule", **{**ours, **wrong})
    bob = cloud.domain_account("bob")
    refused(531, bob, "createVMSchedule", **ours)
    assert cloud.rows()["VmSchedule"] == []


def test_schedules_go_with_their_instance(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    cloud.admin("createVMSchedule", virtualmachineid=vm["id"], timezone="UTC", action="STOP", schedule="0 1 * * *")
    cloud.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
    assert cloud.rows()["VmSchedule"] == []


@given(minute=st.integers(0, 59), hour=st.integers(0, 23), after=st.floats(1.6e9, 2e9))
def test_the_next_time_is_the_next_such_minute(minute: int, hour: int, after: float) -> None:
    due = next_cron(f"{minute} {hour} * * *", "UTC", after)
    assert due is not None and after < due <= after + DAY
    when = datetime.fromtimestamp(due, UTC)
    assert (when.hour, when.minute, when.second) == (hour, minute, 0)


def test_days_that_never_come_have_no_time() -> None:
    assert next_cron("0 0 30 2 *", "UTC", 1.8e9) is None
    with pytest.raises(InvalidParameterValue, match="five fields"):
        next_cron("@daily", "UTC", 1.8e9)

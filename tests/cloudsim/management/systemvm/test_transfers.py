"""Downloads by way of secondary storage VMs: how far they are, how they end, and that they outlive what carries them."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.systemvm.transfers import ENDED, NEXT
from cloudsim.model import SystemVm, Template, TemplateOnStore, Transfer, VirtualMachine
from cloudsim.protocol.systemvm import StartDownload
from tests.cloudsim.management.systemvm.storage_vm_cloud import GIB, StorageVmCloud

BIG = "http://images.example/big.qcow2?size=45g"


def asked_by(cloud: StorageVmCloud, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every request to a system VM from now on."""
    seen: list[Any] = []
    ask = cloud.manager.system_vms.ask

    async def noting(vm_id: str, request: Any, *more: Any) -> Any:
        seen.append(request)
        return await ask(vm_id, request, *more)

    monkeypatch.setattr(cloud.manager.system_vms, "ask", noting)
    return seen


def test_a_zone_with_public_addresses_gets_a_storage_vm_and_one_without_none(
    storage_cloud: StorageVmCloud,
) -> None:
    (vm,) = storage_cloud.up()
    assert vm.kind == "SecondaryStorageVm" and vm.public_ip is not None and vm.private_ip is not None
    machine = storage_cloud.table(VirtualMachine)[vm.id]
    assert machine.type == "SecondaryStorageVm" and machine.state == "Running"
    bare = StorageVmCloud()
    bare.wait(600)
    assert bare.up() == [] and len(bare.table(SystemVm)) == 0
    template = bare.register("http://images.example/a.qcow2?size=1g")
    bare.wait(600)
    assert bare.copy(template).state == "Ready" and bare.transfers() == []  # by a host
    bare.close()


def test_a_download_takes_the_time_of_its_way_and_tells_how_far_it_is(storage_cloud: StorageVmCloud) -> None:
    template = storage_cloud.register(BIG)
    seen = []
    while storage_cloud.copy(template).state == "Creating":
        seen.append(storage_cloud.copy(template).download_percent)
        storage_cloud.wait(5)
    copy = storage_cloud.copy(template)
    assert copy.state == "Ready" and copy.download_percent == 100
    assert len(set(seen)) > 3 and seen == sorted(seen) and max(seen) < 100
    assert copy.size == copy.physical_size == 45 * GIB
    assert storage_cloud.image_store.files[copy.path] == 45 * GIB
    (transfer,) = storage_cloud.transfers()
    seconds = (transfer.ended or 0) - transfer.created
    wire = 45 * GIB * 8 / 10e9  # 10 Gbit/s to the internet, to the host, and to the store
    assert wire <= seconds < wire + 15


def test_two_downloads_share_the_way(storage_cloud: StorageVmCloud) -> None:
    first, second = storage_cloud.register(BIG, "one"), storage_cloud.register(BIG.replace("big", "two"), "two")
    storage_cloud.wait(45)
    assert {storage_cloud.copy(each).state for each in (first, second)} == {"Creating"}
    storage_cloud.until("Ready", first, 60)
    storage_cloud.until("Ready", second, 60)


@pytest.mark.parametrize(
    ("url", "checksum", "said"),
    [
        ("http://fail.example/a.qcow2", None, "does not serve it"),
        ("http://images.example/a.qcow2?size=1g&corrupt", "{MD5}" + "0" * 32, "does not have the checksum"),
        ("http://images.example/a.qcow2?size=51g", None, f"no more than {50 * GIB} are allowed"),
        ("http://10.1.2.3/a.qcow2?size=1g", None, "internal network"),
        ("http://localhost/a.qcow2?size=1g", None, "internal network"),
    ],
)
def test_a_download_that_cannot_be_says_why(
    storage_cloud: StorageVmCloud, url: str, checksum: str | None, said: str
) -> None:
    used = storage_cloud.image_store.used
    template = storage_cloud.register(url, checksum=checksum)
    storage_cloud.until("Failed", template, 120)
    copy = storage_cloud.copy(template)
    assert copy.download_state == "DOWNLOAD_ERROR" and said in (copy.error or "")
    assert storage_cloud.image_store.used == used and storage_cloud.image_store.parts == {}
    storage_cloud.do(storage_cloud.manager.template_removal.delete(template.id))
    assert template.id not in storage_cloud.table(Template)


def test_settings_say_what_is_allowed(storage_cloud: StorageVmCloud) -> None:
    settings = storage_cloud.manager.settings
    settings.set("secstorage.allowed.internal.sites", "10.1.0.0/16, 192.168.7.0/24")
    settings.set("max.template.iso.size", "60")
    near = storage_cloud.register("http://10.1.2.3/a.qcow2?size=1g", "near")
    big = storage_cloud.register("http://images.example/a.qcow2?size=51g", "big")
    storage_cloud.until("Ready", near, 60)
    storage_cloud.until("Ready", big, 120)
    for wrong in ("10.1.0.0/33", "everywhere", "10.1.2.3/8;10.2.0.0/16"):
        with pytest.raises(InvalidParameterValue, match="is no network such as"):
            settings.set("secstorage.allowed.internal.sites", wrong)


def test_deleting_a_template_that_is_being_downloaded_cancels_it(storage_cloud: StorageVmCloud) -> None:
    used = storage_cloud.image_store.used
    template = storage_cloud.register(BIG)
    storage_cloud.wait(15)
    assert storage_cloud.image_store.used == used + 45 * GIB
    storage_cloud.do(storage_cloud.manager.template_removal.delete(template.id))
    assert template.id not in storage_cloud.table(Template)
    storage_cloud.wait(15)
    assert storage_cloud.image_store.used == used and storage_cloud.transfers() == []
    assert storage_cloud.appliance(storage_cloud.up()[0]).downloads == {}


def test_a_cancelled_download_leaves_nothing_though_its_storage_vm_died(storage_cloud: StorageVmCloud) -> None:
    used = storage_cloud.image_store.used
    template = storage_cloud.register(BIG)
    storage_cloud.wait(15)
    storage_cloud.world.crash_host(storage_cloud.host_of(storage_cloud.up()[0]))
    storage_cloud.do(storage_cloud.manager.template_removal.delete(template.id))
    assert [each.state for each in storage_cloud.transfers()] == ["Cancelling"]
    storage_cloud.wait(900)
    assert storage_cloud.image_store.used == used and storage_cloud.transfers() == []


def test_a_download_goes_on_where_it_was_when_its_storage_vms_host_crashed(storage_cloud: StorageVmCloud) -> None:
    template = storage_cloud.register(BIG)
    storage_cloud.wait(20)
    vm = storage_cloud.up()[0]
    storage_cloud.world.crash_host(storage_cloud.host_of(vm))
    (part,) = storage_cloud.image_store.parts.values()
    kept = part.done
    assert 15 * GIB < kept < 45 * GIB
    seconds = storage_cloud.until("Ready", template, 1800)
    assert seconds < 600, "detection takes ping.interval times ping.timeout, then it is started elsewhere"
    rest = (45 * GIB - kept) * 8 / 10e9
    (transfer,) = storage_cloud.transfers()
    assert transfer.state == "Done" and transfer.done == 45 * GIB
    appliance = storage_cloud.appliance(storage_cloud.up()[0])
    assert appliance.now - appliance.booted < rest + 120, "it did not begin from nothing"


@pytest.mark.parametrize("trouble", ["crash", "hang"])
def test_another_storage_vm_takes_over_what_one_that_is_silent_carried(
    storage_cloud: StorageVmCloud, trouble: str
) -> None:
    settings, system = storage_cloud.manager.settings, storage_cloud.manager.system_vms
    settings.set("secstorage.session.max", "1")
    storage_cloud.wait(120)
    settings.set("secstorage.session.max", "50")
    first, second = storage_cloud.up()[:2]
    if storage_cloud.host_of(first) == storage_cloud.host_of(second):
        here = storage_cloud.table(VirtualMachine)[second.id].host_id
        other = next(host.id for host in storage_cloud.store.tables["Host"] if host.id != here)

        async def moved() -> None:
            await system.stopped(second.id, wanted=True)
            await system.started(second.id, host_id=other)

        storage_cloud.do(system.in_turn(second.id, "startSystemVm", moved))
    template = storage_cloud.register(BIG)
    storage_cloud.wait(15)
    (transfer,) = storage_cloud.transfers()
    host = storage_cloud.host_of(storage_cloud.table(SystemVm)[transfer.vm_id or ""])
    if trouble == "crash":
        storage_cloud.world.crash_host(host)
    else:
        storage_cloud.world.hang_agent(host)  # the VM goes on, and nobody hears of it
    seconds = storage_cloud.until("Ready", template, 900)
    (ended,) = storage_cloud.transfers()
    assert ended.vm_id != transfer.vm_id and ended.state == "Done"
    assert seconds < 180, "nobody waited for the host to be given up"
    assert storage_cloud.image_store.files[ended.path] == 45 * GIB and storage_cloud.image_store.parts == {}


def test_a_storage_vm_that_was_restarted_is_told_again(
    storage_cloud: StorageVmCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = asked_by(storage_cloud, monkeypatch)
    template = storage_cloud.register(BIG)
    storage_cloud.wait(20)
    vm = storage_cloud.up()[0]
    system = storage_cloud.manager.system_vms
    storage_cloud.do(system.in_turn(vm.id, "rebootSystemVm", lambda: system.rebooted(vm.id)))
    storage_cloud.until("Ready", template, 300)
    begun = [each for each in seen if isinstance(each, StartDownload)]
    assert len(begun) == 2 and len({each.transfer_id for each in begun}) == 1


def test_a_storage_vm_that_was_destroyed_is_replaced(storage_cloud: StorageVmCloud) -> None:
    template = storage_cloud.register(BIG)
    storage_cloud.wait(20)
    vm = storage_cloud.up()[0]
    system = storage_cloud.manager.system_vms
    storage_cloud.do(system.in_turn(vm.id, "destroySystemVm", lambda: system.destroyed(vm.id)))
    storage_cloud.until("Ready", template, 300)
    assert storage_cloud.up()[0].id != vm.id


def test_a_download_outlives_the_manager(storage_cloud: StorageVmCloud) -> None:
    template = storage_cloud.register(BIG)
    storage_cloud.wait(20)
    before = storage_cloud.appliance(storage_cloud.up()[0])
    storage_cloud.restart()
    assert storage_cloud.copy(template).state == "Creating"
    storage_cloud.until("Ready", template, 120)
    after = storage_cloud.appliance(storage_cloud.up()[0])
    assert after is before and len(after.downloads) == 1, "the storage VM went on, and began nothing anew"
    (transfer,) = storage_cloud.transfers()
    assert transfer.state == "Done"


def test_a_download_that_ended_while_the_manager_was_away_is_ready_at_once(storage_cloud: StorageVmCloud) -> None:
    template = storage_cloud.register("http://images.example/a.qcow2?size=10g")
    storage_cloud.wait(2)
    storage_cloud.restart(after=60)
    assert storage_cloud.until("Ready", template, 120) <= 90


def test_a_zone_whose_storage_vms_are_gone_for_good_downloads_through_a_host(storage_cloud: StorageVmCloud) -> None:
    template = storage_cloud.register(BIG)
    storage_cloud.wait(10)
    storage_cloud.manager.settings.set("secondary.storage.vm", "false")
    vm = storage_cloud.up()[0]
    system = storage_cloud.manager.system_vms
    storage_cloud.do(system.in_turn(vm.id, "destroySystemVm", lambda: system.destroyed(vm.id)))
    storage_cloud.until("Ready", template, 600)
    assert storage_cloud.up() == []
    (transfer,) = storage_cloud.transfers()
    assert (transfer.state, transfer.error) == ("Failed", None)


def test_the_system_vm_template_needs_no_storage_vm(storage_cloud: StorageVmCloud) -> None:
    template = storage_cloud.register("http://images.example/systemvm.qcow2?size=1g", "systemvm")
    assert [each.kind for each in storage_cloud.transfers()] == ["Download"]
    with storage_cloud.store.transaction():
        system = storage_cloud.table(Template).insert(
            Template(
                id="system", name="new system VMs", display_text="", account_id=template.account_id, domain_id="",
                format="QCOW2", hypervisor="Simulator", guest_os_id=template.guest_os_id, type="SYSTEM",
                url="http://images.example/new.qcow2?size=1g",
            )
        )  # fmt: skip
        copy = storage_cloud.manager.template_images.add(system, storage_cloud.zone)
    storage_cloud.call(storage_cloud.manager.template_images.begin, copy)
    storage_cloud.wait(60)
    assert storage_cloud.table(TemplateOnStore)[copy.id].state == "Ready"
    assert [each.object_id for each in storage_cloud.transfers()] == [template.id]


def test_what_ended_is_forgotten_after_a_while(storage_cloud: StorageVmCloud) -> None:
    template = storage_cloud.register("http://images.example/a.qcow2?size=1g")
    storage_cloud.until("Ready", template)
    transfers = storage_cloud.manager.transfers
    assert transfers.purge(storage_cloud.manager.foundation.now() - 3600) == 0
    assert transfers.purge(storage_cloud.manager.foundation.now() + 1) == 1
    assert storage_cloud.transfers() == []


def test_every_state_of_a_transfer_can_be_left_or_is_an_end() -> None:
    assert {state for state, after in NEXT.items() if not after} == {*ENDED, "Cancelling"}
    assert set().union(*NEXT.values()) <= NEXT.keys()
    assert NEXT.keys() == set(get_args(get_type_hints(Transfer)["state"]))

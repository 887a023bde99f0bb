"""Whatever dies, and however often: every transfer ends, and the stores hold what the rows say and nothing else."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cloudsim.errors import CloudError
from cloudsim.management.systemvm.transfers import ENDED
from cloudsim.model import SystemVm, Template, TemplateOnStore, VirtualMachine
from tests.cloudsim.management.systemvm.storage_vm_cloud import GIB, StorageVmCloud

URLS = (
    "http://images.example/small.qcow2?size=300m",
    "http://images.example/big.qcow2?size=40g",
    "http://images.example/whole.qcow2?size=20g&norange",
    "http://images.example/corrupt.qcow2?size=10g&corrupt",
    "http://fail.example/a.qcow2",
)

operations = st.one_of(
    st.tuples(st.just("register"), st.sampled_from(URLS)),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("crash"), st.integers(0, 1)),
    st.tuples(st.just("restore"), st.integers(0, 1)),
    st.tuples(st.just("hang"), st.sampled_from((20.0, 200.0, 400.0))),
    st.tuples(st.just("reboot vm"), st.none()),
    st.tuples(st.just("destroy vm"), st.none()),
    st.tuples(st.just("restart manager"), st.sampled_from((1.0, 45.0, 400.0))),
    st.tuples(st.just("wait"), st.sampled_from((0.0, 3.0, 20.0, 90.0))),
)


class _Run:
    def __init__(self) -> None:
        self.cloud = StorageVmCloud()
        self.cloud.found()
        self.hosts = sorted(self.cloud.world.hosts)
        self.number = 0
        self.expected: set[str] = set(self.cloud.image_store.files)

    def do(self, operation: str, what: Any) -> None:
        cloud = self.cloud
        match operation:
            case "register":
                self.number += 1
                checksum = "{MD5}" + "0" * 32 if "corrupt" in what else None
                cloud.register(what, f"template {self.number}", checksum=checksum)
            case "delete":
                own = [t for t in cloud.table(Template) if t.name.startswith("template ") and t.state == "Active"]
                if what < len(own):
                    self._try(cloud.manager.template_removal.delete(own[what].id))
            case "crash":
                cloud.world.crash_host(self.hosts[what])
            case "restore":
                cloud.world.restore_host(self.hosts[what])
            case "hang":
                cloud.world.hang_agent(self.hosts[0])
                cloud.wait(what)
                cloud.world.resume_agent(self.hosts[0])
            case "reboot vm" | "destroy vm":
                system = cloud.manager.system_vms
                for vm in cloud.table(SystemVm):
                    if not cloud.manager.jobs.busy(vm.id):
                        work = system.rebooted if operation == "reboot vm" else system.destroyed
                        self._try(cloud.manager.jobs.hold(vm.id, lambda work=work, vm=vm: work(vm.id)))
                        break
            case "restart manager":
                cloud.restart(after=what)
            case "wait":
                cloud.wait(what)

    def _try(self, work: Any) -> None:
        with contextlib.suppress(CloudError):
            self.cloud.do(work)

    def settle(self) -> None:
        for host in self.hosts:
            self.cloud.world.restore_host(host)
        for _ in range(80):
            self.cloud.wait(60)
            copies = self.cloud.table(TemplateOnStore)
            if all(each.state in ENDED for each in self.cloud.transfers()) and all(
                each.state in ("Ready", "Failed") for each in copies
            ):
                return


DESTROYED_AS_ITS_HOST_DIED = [
    ("destroy vm", None),
    ("register", "http://images.example/small.qcow2?size=300m"),
    ("crash", 1),
    ("destroy vm", None),
]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(operations, min_size=3, max_size=14))
@example(DESTROYED_AS_ITS_HOST_DIED)
def test_every_transfer_ends_and_no_bytes_are_lost(story: list[tuple[str, Any]]) -> None:
    run = _Run()
    cloud = run.cloud
    try:
        for operation, what in story:
            run.do(operation, what)
        run.settle()
        vms = [(vm.instance_name, vm.state) for vm in cloud.table(VirtualMachine)]
        assert [each for each in cloud.transfers() if each.state not in ENDED] == [], vms
        store = cloud.image_store
        assert store.parts == {}
        assert store.used == sum(store.files.values())
        for template in cloud.table(Template):
            if not template.name.startswith("template "):
                continue
            for copy in cloud.table(TemplateOnStore).where("template_id", template.id):
                url = template.url or ""
                bad = "fail" in url or "corrupt" in url
                assert copy.state == ("Failed" if bad else "Ready"), copy
                if not bad:
                    run.expected.add(copy.path)
                    assert store.files[copy.path] == copy.size
                    assert copy.size == {"small": 300 << 20, "big": 40 * GIB, "whole": 20 * GIB}[url[22:].partition(".")[0]]
        assert set(store.files) <= run.expected
    finally:
        cloud.close()

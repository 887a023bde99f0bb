"""One scenario, run on simulated hosts and on a lab of real ones: the same commands, in the same causal order.

It is the point of the project. `examples/lab/drill.yaml` is the long one of its kind; this one's guests need not be up
before the next thing happens, so that it takes a minute.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.lab.leftovers import leftovers
from cloudsim.experiment.checking import check
from cloudsim.experiment.reading import load, parse
from cloudsim.experiment.result import RunResult
from cloudsim.experiment.run import run
from cloudsim.management.infrastructure.command_order import causal_order, differences
from tests.lab.lab_cloud import needs_a_lab

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "lab"

DRILL = """\
name: short drill
seed: 1
datacenter:
  inline:
    zones:
      - isolation: VXLAN
        guest_vlans: 5000-5099
        pods: [{racks: [{hosts: [{count: 2, cores: 4, mhz: 1000, memory_gib: 1}]}]}]
workload:
  format: inline
  list:
    - {at: 0, memory_mib: 96, mhz: 250}
    - {at: 4, memory_mib: 96, mhz: 250}
    - {at: 6, memory_mib: 96, mhz: 250}
    - {at: 8, memory_mib: 96, mhz: 250}
    - {at: 10, memory_mib: 96, mhz: 250}
    - {at: 12, memory_mib: 96, mhz: 250}
    - {at: 14, memory_mib: 96, mhz: 250}
    - {at: 16, memory_mib: 96, mhz: 250}
    - {at: 18, memory_mib: 96, mhz: 250}
    - {at: 20, memory_mib: 96, mhz: 250}
operations:
  - {operation: migrate, request: 1, at: 24, host: "host-2.*"}
  - {operation: migrate, request: 2, at: 29, host: "host-2.*"}
  - {operation: stop, request: 3, at: 34, forced: true}
  - {operation: start, request: 3, at: 38}
  - {operation: start, request: 1, at: 66}
  - {operation: start, request: 10, at: 70}
faults:
  - {fault: HostCrash, host: "host-2.*", at: 42, duration: 12}
settings:
  ping.interval: 4
  ping.timeout: 2
instances: {template_gib: 1, root_disk_gib: 1}
latency: {vm_boot: 0, vm_define: 0.5, boot_ios: 0}
policy: first-fit
until: last-arrival
"""


def in_both(text: str) -> tuple[RunResult, RunResult]:
    return (
        run(parse(text, "drill.yaml"), log_commands=True),
        run(parse(text, "drill.yaml"), log_commands=True, on="lab"),
    )


@pytest.mark.lab
@pytest.mark.timeout(400)
def test_the_server_asks_the_same_of_simulated_and_of_real_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_a_lab()
    monkeypatch.setattr("backends.lab.world.GUEST_STARTS_WITHIN", 0.0)
    simulated, real = in_both(DRILL)
    assert differences(causal_order(simulated.commands), causal_order(real.commands)) == []
    kinds = {record.kind for record in real.commands}
    assert {"CopyTemplateCommand", "CreateVolumeCommand", "StartCommand", "MigrateCommand"} <= kinds
    assert real.outcomes.host == simulated.outcomes.host
    assert set(real.outcomes.outcome) == {"placed"}
    assert [each.error for each in real.operations] == [None] * 6
    # What ran on the host that lost its power is running again, and nothing is left of the lab.
    assert len(real.strikes) == 2
    assert leftovers("run") == []


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_scenarios(file: Path) -> None:
    checked = check(load(file))
    assert checked.trace.requests >= 8

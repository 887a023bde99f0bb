"""`cloudsim replay`: a trace, hosts and a policy on the command line; figures, placements and errors that come back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from server.cli import main

TRACE = """\
id,arrival_ms,lifetime_ms,vcpu,memory_mib
a,0,100,2,64
b,0,,2,64
c,50,100,3,64
d,60,10,1,512
e,110,10,1,64
"""

TEN_LINES = '''\
from cloudsim.placement import ScoringPolicy

class Tightest(ScoringPolicy):
    """Least left."""
    of_capacity = True
    memory_weight: float = 1.0

    def score(self, request, hosts):
        cpu, memory = hosts.left(request)
        return -(cpu + self.memory_weight * memory)

class Snooping(Tightest):
    def score(self, request, hosts):
        return hosts.instances

class Undecided(Tightest):
    def score(self, request, hosts):
        return hosts.cpu_room * float("nan")
'''

DATACENTER = """\
zones:
  - pods:
      - racks:
          - hosts:
              - {count: 2, cores: 2, mhz: 1000, memory_mib: 512}
              - {cores: 8, mhz: 1000, memory_gib: 1}
"""

NODES = """\
sn,cpu_milli,memory_mib,gpu,model
n-1,4000,1024,0,
n-2,4000,1024,2,T4
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a trace and a policy of one's own."""
    (tmp_path / "trace.csv").write_text(TRACE)
    (tmp_path / "my_idea.py").write_text(TEN_LINES)
    (tmp_path / "datacenter.yaml").write_text(DATACENTER)
    (tmp_path / "nodes.csv").write_text(NODES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_idea", raising=False)
    return tmp_path


HOSTS = ("--hosts", "2", "--cores", "4", "--memory-gib", "0.5")


def output(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["replay", *arguments])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


def figures(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(output("trace.csv", *arguments, "--json"))
    return found


def test_it_says_how_it_went() -> None:
    text = output("trace.csv", *HOSTS)
    said = " ".join(text.replace("│", " ").split())
    assert "trace.csv: first-fit" in said
    for line in ("Hosts 2", "Requests 5", "Placed 4", "Rejected: memory 1", "Engine indexed", "Instances, mean / peak"):
        assert line in said, text
    assert "Rejected: cpu" not in said, "causes that did not happen are left out"


def test_json_has_every_figure() -> None:
    found = figures(*HOSTS)
    assert (found["policy"], found["seed"], found["engine"]) == ("first-fit", 0, "indexed")
    assert (found["requests"], found["placed"], found["rejected"], found["rejected_memory"]) == (5, 4, 1, 1)
    assert found["check"] == 1 * 1 + 1 * 2 + 2 * 3 + 1 * 5
    assert found["cpu_seconds"] >= 0 and found["peak_rss_mb"] > 10
    assert set(found) >= {
        "host_hours",
        "host_hours_bound",
        "host_hours_ratio",
        "empty_share",
        "cpu_packing_density",
        "memory_packing_density",
        "stranded_cpu",
        "stranded_memory",
        "fragmentation",
        "gini",
        "total_cpu_seconds",
        "sampling_cpu_seconds",
        "placements_per_cpu_s",
    }


def test_assignments_are_the_placements(folder: Path) -> None:
    output("trace.csv", *HOSTS, "--assignments", "placed.parquet")
    table = pq.read_table(folder / "placed.parquet")
    assert table.to_pydict() == {"request": [0, 1, 2, 3, 4], "host": [0, 0, 1, None, 0]}


def test_both_engines_give_the_same_figures() -> None:
    one, other = (figures(*HOSTS, "--engine", engine, "--policy", "best-fit,norm=l2") for engine in ("indexed", "general"))
    timed = {"engine", "cpu_seconds", "total_cpu_seconds", "sampling_cpu_seconds", "placements_per_cpu_s", "peak_rss_mb"}
    assert {k: v for k, v in one.items() if k not in timed} == pytest.approx({k: v for k, v in other.items() if k not in timed})


def test_a_warm_up_in_seconds_and_the_last_departure() -> None:
    found = figures(*HOSTS, "--warm-up", "0.05", "--until", "last-departure")
    assert found["span_h"] == pytest.approx(0.150 / 3600)
    assert found["measured_h"] == pytest.approx(0.100 / 3600)
    assert found["rejected_share"] == 1 / 3
    assert found["instances_peak"] == 3


def test_overcommit() -> None:
    assert figures(*HOSTS, "--memory-overcommit", "2")["rejected"] == 0
    assert figures("--hosts", "1", "--cores", "4", "--memory-gib", "1", "--cpu-overcommit", "2")["rejected"] == 0


def test_no_samples() -> None:
    assert figures(*HOSTS, "--no-samples")["gini"] is None


def test_chance_comes_from_the_seed() -> None:
    checks = [figures("--hosts", "99", "--policy", "random", "--seed", seed)["check"] for seed in ("1", "1", "2")]
    assert checks[0] == checks[1] != checks[2]


def test_a_trace_can_be_described_and_its_format_named(folder: Path) -> None:
    (folder / "w1.yaml").write_text("format: w1\nhosts: 10\nrequests_after_warm_start: 200\n")
    described = msgspec.json.decode(output("w1.yaml", "--hosts", "10", "--json"))
    assert described["requests"] == 155 + 200
    assert msgspec.json.decode(output("w1.yaml", "--option", "limit=7", "--hosts", "10", "--json"))["requests"] == 7
    endless = figures(*HOSTS, "--format", "table", "--option", "lifetimes=endless")
    assert endless["check"] == 1 * 1 + 1 * 2 + 2 * 3 + 2 * 5, "the last one finds the first host full"


# hosts


def test_hosts_of_a_datacenter() -> None:
    found = figures("--datacenter", "datacenter.yaml")
    assert (found["hosts"], found["rejected"]) == (3, 0)
    assert found["check"] == 1 * 1 + 2 * 2 + 3 * 3 + 3 * 4 + 1 * 5
    assert found["hosts_linear_bound_average"] >= 1


def test_hosts_of_a_node_list() -> None:
    found = figures("--datacenter", "nodes.csv")
    assert (found["hosts"], found["engine"], found["gpu_allocated_share"]) == (2, "general", 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("zones: [{pods: [{racks: [{hosts: [{cores: many}]}]}]}]\n", "zones[0].pods[0].racks[0].hosts[0].cores: Expected `int`"),
        ("zones:\n  - {pods: 1}\n  - {pods: 1}\n", "expected exactly one zone"),
        ("zones: 3\n", "expected exactly one zone"),
        ("zones: [{pods: 0}]\n", "datacenter.yaml:1: zones[0].pods"),
        ("zoned: 1\n", "datacenter.yaml:1: the description: Object contains unknown field `zoned`"),
        ("zones: [\n", "datacenter.yaml:2: "),
        ("- 1\n", "Expected `object`, got `array`"),
    ],
)
def test_a_datacenter_that_is_not_right(folder: Path, text: str, said: str) -> None:
    (folder / "datacenter.yaml").write_text(text)
    assert said in output("trace.csv", "--datacenter", "datacenter.yaml", code=1).replace("\n", " ")


def test_a_node_list_or_description_that_cannot_be_read(folder: Path) -> None:
    (folder / "nodes.csv").write_text(NODES.replace("n-2,4000", "n-2,many"))
    assert "nodes.csv:3: cpu_milli" in output("trace.csv", "--datacenter", "nodes.csv", code=1)
    (folder / "datacenter.yaml").write_bytes(b"\xff\xfe\x00")
    assert "expected text in UTF-8" in output("trace.csv", "--datacenter", "datacenter.yaml", code=1)


def test_hosts_that_could_hold_nothing() -> None:
    said = output("trace.csv", *HOSTS, "--memory-overcommit", "0.0001", code=1)
    assert "hosts: expected at least one MHz and one MiB" in said


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--hosts", "2", "--datacenter", "datacenter.yaml"),
        ("--hosts", "0"),
        ("--hosts", "2", "--cores", "0"),
        ("--hosts", "2", "--option", "limit"),
        ("--hosts", "2", "--until", "noon"),
        ("--hosts", "2", "--datacenter", "nowhere.yaml"),
    ],
)
def test_arguments_that_are_none_are_a_matter_of_usage(arguments: tuple[str, ...]) -> None:
    assert "Usage:" in output("trace.csv", *arguments, code=2)


# policies


def test_ten_lines_in_the_working_folder_are_a_policy() -> None:
    found = figures(*HOSTS, "--policy", "my_idea:Tightest,memory_weight=2")
    assert (found["policy"], found["engine"], found["placed"]) == ("my_idea:Tightest,memory_weight=2", "indexed", 4)
    assert found["check"] == figures(*HOSTS, "--policy", "best-fit,norm=l1")["check"]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("my_idea:Snooping", "policy snooping says that its score is of_capacity, but it looks at more"),
        ("my_idea:Undecided", "policy undecided: score: expected numbers, got NaN"),
        ("my_idea:Tightest,weight=2", "policy tightest has no option 'weight': it has memory_weight"),
        ("my_idea:Tightest,memory_weight=much", "memory_weight: expected `float`"),
        ("my_idea:Loosest", "placement policy 'my_idea:Loosest' cannot be loaded"),
        ("your_idea:Tightest", "placement policy 'your_idea:Tightest' cannot be loaded"),
        ("tightest", "no placement policy 'tightest'; there are "),
        ("best-fit,norm=l9", "norm: expected one of cpu, memory, l1, l2, linf, got 'l9'"),
    ],
)
def test_a_policy_that_is_not_right(policy: str, said: str) -> None:
    assert said in " ".join(output("trace.csv", *HOSTS, "--policy", policy, code=1).split())


def test_an_index_that_is_not_there() -> None:
    said = output("trace.csv", *HOSTS, "--policy", "random", "--engine", "indexed", code=1)
    assert "engine: there is no index for random on these hosts" in said


# traces


def test_an_error_in_a_trace_has_its_place(folder: Path) -> None:
    (folder / "trace.csv").write_text(TRACE.replace("50,100,3", "50,100,three"))
    assert "trace.csv:4: vcpu: " in output("trace.csv", *HOSTS, code=1)


def test_a_trace_that_goes_back_in_time(folder: Path) -> None:
    (folder / "trace.csv").write_text(TRACE + "f,5,10,1,64\n")
    assert "Error:" in output("trace.csv", *HOSTS, code=1)


def test_a_trace_without_any_request(folder: Path) -> None:
    (folder / "trace.csv").write_text(TRACE.splitlines()[0] + "\n")
    assert "expected at least one" in output("trace.csv", *HOSTS, code=1)


def test_a_file_that_is_no_trace() -> None:
    assert "expected a format to be named" in output("my_idea.py", *HOSTS, code=1)
    assert "option speed: expected an option of table" in output("trace.csv", *HOSTS, "--option", "speed=3", code=1)
    assert "does not exist" in output("nowhere.csv", *HOSTS, code=2)

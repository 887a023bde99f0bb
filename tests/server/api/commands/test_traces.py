"""The way of a command in the API: what is told of a call, to whom, and what is not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api.api_harness import Client, Refused
from tests.server.api.cloud_harness import TwoRacks

Entry = dict[str, Any]


@pytest.fixture
def racks() -> Iterator[TwoRacks]:
    made = TwoRacks()
    made.manager.traces.record()
    yield made
    made.cloud.close()


def newest(racks: TwoRacks, call: Client | None = None, **more: Any) -> list[dict[str, Any]]:
    answer = (call or racks.admin)("listTraces", listall=True, **more)
    found: list[dict[str, Any]] = answer.get("trace", [])
    return found


def told(racks: TwoRacks, call: Client | None = None, **which: Any) -> dict[str, Any]:
    """The trace as getTrace tells it; by default the newest."""
    if not which:
        which = {"id": newest(racks, call)[0]["id"]}
    answer: dict[str, Any] = (call or racks.admin)("getTrace", **which)["trace"]
    return answer


def way(entry: Entry) -> tuple[str, str, str]:
    """Kind, lanes and name of an entry, for a host called HOST."""
    lanes = [name.split(" ")[0] for name in (entry["source"], entry["target"])]
    return entry["kind"], " > ".join(dict.fromkeys(lanes)), entry["name"]


def payload(entry: Entry) -> Any:
    return json.loads(entry["payload"])


def of_kind(trace: dict[str, Any], *kinds: str) -> list[Entry]:
    return [entry for entry in trace["entry"] if entry["kind"] in kinds]


def test_a_deployment_goes_from_the_user_to_the_hypervisor_and_back(racks: TwoRacks) -> None:
    vm = racks.deploy("web")
    trace = told(racks)
    found = [way(entry) for entry in trace["entry"]]
    volume = f"Volume ROOT-{vm['instancename']}"
    template = f"TemplateOnPool {racks.cloud.template.name}"
    assert found == [
        ("call", "user > api", "deployVirtualMachine"),
        ("state", "management", "VirtualMachine web: created, Stopped"),
        ("state", "management", f"{volume}: created, Allocated"),
        ("state", "management", f"Nic {vm['nic'][0]['ipaddress']}: created"),
        ("job", "api > jobs", "queued"),
        ("reply", "api > user", "OK"),
        ("job", "jobs > management", "deployVirtualMachine"),
        ("placement", "management > placement", "a host, by random"),
        ("placement", "placement > management", vm["hostname"]),
        ("state", "management", "VirtualMachine web: Stopped → Starting"),
        ("state", "management", f"{volume}: Allocated → Creating"),
        ("state", "management", f"{template}: created, Creating"),
        ("command", "management > agent", "CopyTemplateCommand"),
        ("work", "agent", "CopyTemplateCommand"),
        ("step", "agent > hypervisor", "transfer of 1.00 GiB at 5000 MB/s"),
        ("step", "agent > hypervisor", "template_copy"),
        ("answer", "agent > management", "CopyTemplateAnswer"),
        ("state", "management", f"{template}: Creating → Ready"),
        ("command", "management > agent", "CreateVolumeCommand"),
        ("work", "agent", "CreateVolumeCommand"),
        ("step", "agent > hypervisor", "clone_ios"),
        ("step", "agent > hypervisor", "template_clone"),
        ("answer", "agent > management", "CreateVolumeAnswer"),
        ("state", "management", f"{volume}: Creating → Ready"),
        ("command", "management > agent", "StartCommand"),
        ("work", "agent", "StartCommand"),
        ("step", "agent > hypervisor", "vm_define"),
        ("step", "agent > hypervisor", "boot_ios"),
        ("step", "agent > hypervisor", "vm_boot"),
        ("answer", "agent > management", "StartAnswer"),
        ("state", "management", "VirtualMachine web: Starting → Running"),
        ("event", "management", trace["entry"][-2]["name"]),
        ("job", "management > jobs", "succeeded"),
    ]
    assert (trace["status"], trace["hosts"], trace["commands"]) == ("succeeded", [vm["hostname"]], 3)


def test_messages_carry_what_was_really_said(racks: TwoRacks) -> None:
    vm = racks.deploy("web")
    trace = told(racks)
    (start,) = [e for e in of_kind(trace, "command") if e["name"] == "StartCommand"]
    (starting,) = [e for e in of_kind(trace, "state") if e["name"].endswith("Stopped → Starting")]
    boot = of_kind(trace, "step")[-1]
    assert payload(start)["vm"]["name"] == vm["instancename"]
    assert payload(starting)["state"] == {"before": "Stopped", "after": "Starting"}
    assert payload(boot) == {"simulated": "vm_boot", "seconds": pytest.approx(boot["duration"])}
    assert payload(trace["entry"][-1])["virtualmachine"]["id"] == vm["id"]
    assert payload(trace["entry"][0])["name"] == "web"


def test_time_is_told_where_it_went(racks: TwoRacks) -> None:
    racks.deploy("web")
    trace = told(racks)
    seconds = {each["kind"]: each["seconds"] for each in trace["participant"]}
    steps = sum(entry["duration"] for entry in of_kind(trace, "step"))
    assert list(seconds) == ["user", "api", "jobs", "management", "placement", "agent", "hypervisor"]
    assert seconds["hypervisor"] == pytest.approx(steps, abs=1e-4)
    assert sum(seconds.values()) == pytest.approx(trace["duration"], abs=1e-4)
    for command in of_kind(trace, "command"):
        (work,) = [e for e in of_kind(trace, "work") if e.get("parent") == command["number"]]
        (answer,) = [e for e in of_kind(trace, "answer") if e.get("parent") == command["number"]]
        assert command["start"] < work["start"] <= answer["start"] < answer["start"] + answer["duration"]


def test_a_refused_deployment_tells_which_filter_took_which_hosts(racks: TwoRacks) -> None:
    offering = racks.admin(
        "createServiceOffering", name="big", displaytext="big", cpunumber=2, cpuspeed=1000, memory=20_000
    )["serviceoffering"]["id"]
    with pytest.raises(Refused):
        racks.deploy("big", serviceofferingid=offering)
    trace = told(racks)
    answer = of_kind(trace, "placement")[-1]
    planning = payload(answer)
    filters = {each["name"]: each for each in planning["filters"]}
    assert (answer["name"], planning["chosen"], planning["considered"], planning["feasible"]) == ("no host", None, 4, 0)
    assert answer["error"] == planning["error"] == trace["error"]
    assert filters["cores"]["took"] == filters["CPU"]["took"] == 0
    assert (filters["memory"]["wanted"], filters["memory"]["took"], filters["memory"]["left"]) == ("20000 MiB", 4, 0)
    assert {h["host"] for h in filters["memory"]["hosts"]} == {host.name for host in racks.world.hosts.values()}
    assert {h["has"] for h in filters["memory"]["hosts"]} == {"16384 MiB free"}
    assert trace["status"] == "failed"
    assert trace["entry"][-1]["error"] == trace["error"]


def test_scores_are_told_best_first_with_the_host_that_was_chosen(racks: TwoRacks) -> None:
    racks.manager.settings.set("vm.allocation.algorithm", "worst-fit")
    first = racks.deploy("one")
    racks.deploy("two")
    planning = payload(of_kind(told(racks), "placement")[-1])
    scores = [each["score"] for each in planning["scores"]]
    assert planning["policy"] == "worst-fit"
    assert scores == sorted(scores, reverse=True)
    assert planning["scores"][0]["host"] == planning["chosen"]
    assert planning["scores"][-1]["host"] == first["hostname"]


def test_looking_leaves_no_trace(racks: TwoRacks) -> None:
    racks.admin("listVirtualMachines", listall=True)
    racks.admin("listHosts")
    assert newest(racks) == []


def test_a_change_at_once_is_traced_too(racks: TwoRacks) -> None:
    racks.admin("createSSHKeyPair", name="mine")
    trace = told(racks)
    assert [entry["kind"] for entry in trace["entry"]] == ["call", "state", "event", "reply"]
    assert "jobid" not in trace


def test_a_refusal_of_what_would_have_changed_something_is_traced(racks: TwoRacks) -> None:
    with pytest.raises(Refused) as refused:
        racks.admin("startVirtualMachine", id="11111111-2222-3333-4444-555555555555")
    trace = told(racks)
    assert (trace["status"], trace["error"]) == ("failed", refused.value.text)
    assert [entry["kind"] for entry in trace["entry"]] == ["call", "reply"]


def test_traces_are_found_by_job_command_status_host_and_what_they_changed(racks: TwoRacks) -> None:
    vm = racks.deploy("one")
    racks.admin("stopVirtualMachine", id=vm["id"])
    volume = racks.volume()
    stopped = newest(racks, cmd="stopvirtualmachine")
    assert [each["cmd"] for each in stopped] == ["stopVirtualMachine"]
    assert {each["cmd"] for each in newest(racks, resourceid=vm["id"])} == {"deployVirtualMachine", "stopVirtualMachine"}
    assert {each["cmd"] for each in newest(racks, resourceid=volume["id"])} == {"createVolume"}
    assert {each["cmd"] for each in newest(racks, host=vm["hostname"])} == {"deployVirtualMachine", "stopVirtualMachine"}
    assert newest(racks, status="failed") == []
    assert told(racks, jobid=stopped[0]["jobid"])["id"] == stopped[0]["id"]
    assert [each["cmd"] for each in newest(racks, page=1, pagesize=1)] == ["createVolume"]


class TestWhoSeesWhat:
    def test_a_user_sees_ones_own_calls_and_states_but_no_infrastructure(self, racks: TwoRacks) -> None:
        user = racks.account("ann")
        vm = racks.deploy("mine", user)
        trace = told(racks, user)
        lanes = {each["kind"] for each in trace["participant"]}
        text = json.dumps(trace)
        assert lanes == {"user", "api", "jobs", "management"}
        assert ("state", "management", "VirtualMachine mine: Starting → Running") in [way(e) for e in trace["entry"]]
        assert "hosts" not in trace and "commands" not in trace
        assert all(host.name not in text for host in racks.world.hosts.values())
        assert vm["id"] in text

    def test_nobody_sees_the_traces_of_others(self, racks: TwoRacks) -> None:
        ann, bob = racks.account("ann"), racks.account("bob")
        racks.deploy("mine", ann)
        trace_id = newest(racks, ann)[0]["id"]
        assert newest(racks, bob) == []
        with pytest.raises(Refused) as hidden:
            bob("getTrace", id=trace_id)
        with pytest.raises(Refused) as missing:
            bob("getTrace", id="11111111-2222-3333-4444-555555555555")
        there, not_there = hidden.value.text, missing.value.text
        assert there.replace(trace_id, "X") == not_there.replace("11111111-2222-3333-4444-555555555555", "X")
        assert [t["account"] for t in newest(racks, cmd="deployVirtualMachine")] == ["ann"]

    def test_exports_hold_no_more_than_getTrace(self, racks: TwoRacks) -> None:
        user = racks.account("ann")
        racks.deploy("mine", user)
        trace_id = newest(racks, user)[0]["id"]
        for format in ("otlp", "perfetto"):
            content = user("exportTrace", id=trace_id, format=format)["traceexport"]["content"]
            assert all(host.name not in content for host in racks.world.hosts.values())
            assert "placement" not in content and "host_id" not in content

    def test_hosts_are_for_root_admins_to_ask_for(self, racks: TwoRacks) -> None:
        with pytest.raises(Refused, match="host is for root admins"):
            newest(racks, racks.account("ann"), host="host-1")


class TestWhatIsKept:
    def test_the_newest_are_kept_and_others_are_said_to_be_gone(self, racks: TwoRacks) -> None:
        racks.manager.settings.set("trace.keep", "2")
        racks.admin("createSSHKeyPair", name="a")
        oldest = newest(racks)[0]["id"]
        for name in ("b", "c"):
            racks.admin("createSSHKeyPair", name=name)
        assert [payload(told(racks, id=each["id"])["entry"][0])["name"] for each in newest(racks)] == ["c", "b"]
        with pytest.raises(Refused, match=r"not kept any more: the newest 2 are \(setting trace.keep\)"):
            told(racks, id=oldest)

    def test_calls_that_only_look_push_nothing_out(self, racks: TwoRacks) -> None:
        racks.manager.settings.set("trace.keep", "1")
        racks.admin("createSSHKeyPair", name="kept")
        for _ in range(5):
            racks.admin("listSSHKeyPairs")
        assert [each["cmd"] for each in newest(racks)] == ["createSSHKeyPair"]

    def test_a_server_that_does_not_record_says_so(self) -> None:
        silent = TwoRacks()
        silent.deploy("one")
        assert newest(silent) == []
        with pytest.raises(Refused, match="does not record traces"):
            told(silent, id="11111111-2222-3333-4444-555555555555")
        silent.cloud.close()

    def test_one_of_id_and_jobid_is_wanted(self, racks: TwoRacks) -> None:
        with pytest.raises(Refused, match="Exactly one of the parameters id and jobid"):
            racks.admin("getTrace")


SECRET = "Unspeakable7"


def secrets_of(racks: TwoRacks) -> Iterator[str]:
    """Calls that carry or answer secrets, each traced; what must not be told of them."""
    encoded = base64.b64encode(SECRET.encode()).decode()
    yield SECRET
    yield encoded
    racks.admin(
        "createAccount",
        username="eve",
        password=SECRET,
        email="eve@example.org",
        firstname="eve",
        lastname="Example",
        accounttype=0,
    )
    racks.admin("registerUserData", name="data", userdata=encoded)
    yield racks.admin("createSSHKeyPair", name="key")["keypair"]["privatekey"].splitlines()[1]
    user = next(u for u in racks.admin("listUsers", username="eve", listall=True)["user"])
    keys = racks.admin("registerUserKeys", id=user["id"])["userkeys"]
    yield from (keys["apikey"], keys["secretkey"])
    vm = racks.deploy("secret", userdata=encoded, keypair="key")
    racks.admin("stopVirtualMachine", id=vm["id"])
    racks.admin("resetUserDataForVirtualMachine", id=vm["id"], userdata=encoded)
    racks.admin("updateVirtualMachine", id=vm["id"], userdata=encoded)
    racks.admin("updateUser", id=user["id"], password=SECRET, currentpassword=SECRET)
    racks.admin(
        "createVpnCustomerGateway",
        name="far",
        gateway="192.0.2.1",
        cidrlist="10.9.0.0/24",
        ipsecpsk=SECRET,
        ikepolicy="aes128-sha1;modp1536",
        esppolicy="aes128-sha1;modp1536",
    )


def test_secrets_are_in_no_payload_of_no_trace(racks: TwoRacks) -> None:
    secrets = list(secrets_of(racks))
    traces = newest(racks)
    everything = [json.dumps(told(racks, id=each["id"])) for each in traces]
    for each in traces:
        for format in ("otlp", "perfetto"):
            everything.append(racks.admin("exportTrace", id=each["id"], format=format)["traceexport"]["content"])
    assert {each["cmd"] for each in traces} >= {"createAccount", "registerUserKeys", "createVpnCustomerGateway"}
    assert sum("********" in text for text in everything) >= 8
    for secret in secrets:
        assert not [text for text in everything if secret in text], secret


class TestExports:
    def test_otlp_has_the_members_that_its_schema_requires(self, racks: TwoRacks) -> None:
        racks.deploy("web")
        trace = told(racks)
        file = racks.admin("exportTrace", id=trace["id"], format="otlp")["traceexport"]
        data = json.loads(file["content"])
        spans = [
            span
            for resource in data["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]
        for resource in data["resourceSpans"]:
            names = {a["key"]: a["value"]["stringValue"] for a in resource["resource"]["attributes"]}
            assert names["service.name"].startswith("cloudsim ")
        for span in spans:
            assert int(span["traceId"], 16) and len(span["traceId"]) == 32
            assert int(span["spanId"], 16) and len(span["spanId"]) == 16
            assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
            assert span["name"] and 1 <= span["kind"] <= 5 and span["status"]["code"] in (1, 2)
        ids = {span["spanId"] for span in spans}
        roots = [span for span in spans if "parentSpanId" not in span]
        assert len(ids) == len(spans)
        assert [span["name"] for span in roots] == ["deployVirtualMachine"]
        assert all(span["parentSpanId"] in ids for span in spans if span not in roots)
        told_of = len(spans) + sum(len(span["events"]) for span in spans)
        assert told_of == trace["entrycount"]
        assert file["filename"] == f"deployVirtualMachine-{trace['id'][:8]}.otlp.json"

    def test_perfetto_events_have_the_members_of_the_trace_event_format(self, racks: TwoRacks) -> None:
        racks.deploy("web")
        trace = told(racks)
        data = json.loads(racks.admin("exportTrace", id=trace["id"], format="perfetto")["traceexport"]["content"])
        events = data["traceEvents"]
        processes = {e["args"]["name"]: e["pid"] for e in events if e["name"] == "process_name"}
        assert list(processes) == [each["name"] for each in trace["participant"]]
        for event in events:
            assert event["ph"] in "MXisf" and event["pid"] in processes.values() and "tid" in event
            assert event["ph"] == "M" or event["ts"] >= 0
            assert event["ph"] != "X" or event["dur"] >= 0
            assert event["ph"] not in "sf" or event["id"]
        # on one thread, slices lie within one another or apart, or the viewer drops them
        for first in (e for e in events if e["ph"] == "X"):
            for other in (e for e in events if e["ph"] == "X" and (e["pid"], e["tid"]) == (first["pid"], first["tid"])):
                a, b, c, d = (round(1000 * t) for e in (first, other) for t in (e["ts"], e["ts"] + e["dur"]))
                assert b <= c or d <= a or a <= c <= d <= b or c <= a <= b <= d

    def test_an_unknown_format_is_refused(self, racks: TwoRacks) -> None:
        racks.admin("createSSHKeyPair", name="key")
        with pytest.raises(Refused, match="otlp, perfetto"):
            racks.admin("exportTrace", id=newest(racks)[0]["id"], format="zipkin")

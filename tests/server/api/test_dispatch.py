"""The wire: credentials, errors, envelopes, paging, parameters."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

import pytest

from cloudsim.errors import ResourceInUse
from cloudsim.model import Domain
from server.api.authentication import canonical, sign
from server.api.command import COMMANDS, Call, Job, command
from server.api.commands import load
from server.api.parameters import Long, Param, parse_date
from server.api.request import Request
from server.api.views import View
from tests.server.api.api_harness import Api, Client, parse_xml, refused


class EchoView(View):
    """What a command was given."""

    key: ClassVar = "echo"

    id: str | None = None
    said: dict[str, Any] | None = None

    @classmethod
    def of(cls, row: dict[str, Any], call: Call) -> Self:
        return cls(id=row.get("id"), said=row)


@pytest.fixture(autouse=True)
def declared() -> Any:
    """Commands for these tests only."""
    load()
    before = dict(COMMANDS)

    @command("echo", view=EchoView)
    async def echo(
        call: Call,
        *,
        word: Annotated[str | None, Param(length=10)] = None,
        number: int | None = None,
        big: Long | None = None,
        flag: bool = False,
        kind: Literal["Isolated", "L2"] | None = None,
        domainid: Domain | Literal["-1"] | None = None,
        names: list[str] | None = None,
        details: dict[str, str] | None = None,
        rules: list[dict[str, str]] | None = None,
    ) -> dict[str, Any]:
        """Says what it was given."""
        where = domainid.path if isinstance(domainid, Domain) else domainid
        return dict(
            word=word, number=number, big=big, flag=flag, kind=kind, where=where, names=names, details=details, rules=rules
        )

    @command("breakDown", view=EchoView)
    async def break_down(call: Call) -> None:
        """Has a bug."""
        raise ZeroDivisionError("a bug")

    @command("beBusy", view=EchoView, job=True, event="BE.BUSY")
    async def be_busy(call: Call, *, id: Domain, fail: bool = False) -> Job:
        """Works on a domain."""

        async def work() -> dict[str, Any]:
            if fail:
                raise ResourceInUse("it is in use")
            return {"id": id.id}

        return Job(work, id)

    yield
    COMMANDS.clear()
    COMMANDS.update(before)


def told(client: Client, **parameters: Any) -> Any:
    return client("echo", **parameters)["echo"]["said"]


def ask(api: Api, trusted: bool = True, **pairs: str) -> Any:
    """The reply to exactly these parameters."""
    return api.run(api.dispatcher.answer(Request.of(pairs.items()), trusted=trusted))


def test_values_by_type(admin: Client) -> None:
    said = told(admin, WORD="hi", Number=" 7 ", big=2**40, flag="TRUE", KIND="isolated", names="a, b,,c")
    assert (said["word"], said["number"], said["big"], said["flag"]) == ("hi", 7, 2**40, True)
    assert (said["kind"], said["names"]) == ("Isolated", ["a", "b", "c"])
    assert told(admin, flag="None")["flag"] is False
    assert told(admin, domainid="-1")["where"] == "-1"
    assert told(admin, number="")["number"] is None


def test_maps_in_both_styles_keep_the_case_of_keys(admin: Client) -> None:
    assert told(admin, **{"Details[0].cpuNumber": "2", "details[0].memory": "512"})["details"] == {
        "cpuNumber": "2",
        "memory": "512",
    }
    assert told(admin, details={"a": "1", "b": "2"})["details"] == {"a": "1", "b": "2"}
    rules = told(admin, **{"rules[1].service": "Dns", "rules[0].service": "Dhcp", "rules[0].provider": "VR"})["rules"]
    assert rules == [{"service": "Dhcp", "provider": "VR"}, {"service": "Dns"}]


@pytest.mark.parametrize(
    "name", ["details[x].a", "details[0]", "details[0].", "details[", "details[0][1].a", "[0].a", "details]0[.a"]
)
def test_a_broken_map_index_is_430(admin: Client, name: str) -> None:
    assert name in refused(430, admin, "echo", **{name: "v"}).text or "index" in name


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"word": "x" * 11}, 431),
        ({"word": "a\x07b"}, 431),
        ({"number": "seven"}, 431),
        ({"number": str(2**31)}, 431),
        ({"big": str(2**63)}, 431),
        ({"kind": "Shared"}, 431),
        ({"domainid": "-2"}, 431),
        ({"domainid": "00000000-0000-0000-0000-00000000dead"}, 431),
        ({"details": "flat"}, 431),
    ],
)
def test_bad_values(admin: Client, parameters: dict[str, str], status: int) -> None:
    error = refused(status, admin, "echo", **parameters)
    assert next(iter(parameters)) in error.text
    assert error.body["errorcode"] == status and error.body["uuidList"] == []


def test_the_words_for_missing_and_unknown(admin: Client) -> None:
    assert refused(431, admin, "createDomain").text == (
        "Unable to execute API command createdomain due to missing parameter name"
    )
    assert refused(431, admin, "createDomain", name="").text.endswith("missing parameter name")
    assert refused(431, admin, "deleteDomain", id="nothing").text == (
        "Unable to execute API command deletedomain due to invalid value. Invalid parameter id value=nothing due to "
        "incorrect long value format, or entity does not exist or due to incorrect parameter annotation for the field "
        "in api cmd class."
    )


def test_unknown_commands(api: Api) -> None:
    reply = ask(api, command="noSuchCommand", response="json")
    assert (reply.status, reply.name) == (432, "errorresponse")
    assert reply.body["errortext"] == "Unknown API command: noSuchCommand"
    assert api.admin.reply("noSuchCommand").status == 401
    assert ask(api, trusted=False, command="noSuchCommand").status == 401
    assert ask(api).status == 432


def test_a_bug_is_an_internal_error_and_not_an_exception(admin: Client) -> None:
    error = refused(530, admin, "breakDown")
    assert error.body["cserrorcode"] == 4250 and "bug" not in error.text


def test_signatures(api: Api) -> None:
    user = api.user("admin")
    assert user.api_key and user.secret_key

    def send(pairs: dict[str, str], signed: str) -> int:
        return int(ask(api, trusted=False, **pairs, signature=sign(signed, user.secret_key or "")).status)

    pairs = {"command": "listZones" if "listzones" in COMMANDS else "listDomains", "response": "json"}
    pairs |= {"keyword": "a b*~[]/+é", "apiKey": user.api_key}
    for safe in ("*", "~", "*~[]", ""):
        assert send(pairs, canonical(pairs, safe)) == 200
    assert send(pairs, canonical({**pairs, "keyword": "other"})) == 401
    later = datetime.now(UTC).replace(year=2199)
    stamp = "%Y-%m-%dT%H:%M:%S%z"
    for expires, status in ((later.strftime(stamp), 200), ("2001-01-01T00:00:00+0000", 401), ("soon", 401)):
        signed = pairs | {"signatureversion": "3", "expires": expires}
        assert send(signed, canonical(signed)) == status
    missing = pairs | {"signatureVersion": "3"}
    assert send(missing, canonical(missing)) == 401
    assert ask(api, trusted=False, **pairs, signature="bm8=").status == 401
    assert ask(api, trusted=False, **(pairs | {"apiKey": "nobody"}), signature="bm8=").status == 401


def test_dates() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
    assert parse_date("2026-11-22T12:00:00+0000") == noon
    assert parse_date("2026-11-22T14:00:00+0200") == noon
    assert parse_date("2026-11-22 12:00:00") == noon
    assert parse_date("2026-11-22", end_of_day=True) == noon + timedelta(hours=12).total_seconds() - 1
    for bad in ("", "yesterday", "2026-13-01", "2026-02-30", "0000-01-01", "2026-01-01T25:00:00"):
        with pytest.raises(ValueError):
            parse_date(bad)


def test_paging(admin: Client) -> None:
    for n in range(5):
        admin("createDomain", name=f"d{n}")
    first, second = (admin("listDomains", page=p, pagesize=2, keyword="D") for p in (1, 2))
    assert first["count"] == second["count"] == 5
    assert [d["name"] for d in first["domain"] + second["domain"]] == ["d0", "d1", "d2", "d3"]
    assert admin("listDomains", page=9, pagesize=2) == {"count": 6}
    assert admin("listDomains", pagesize=-1)["count"] == 6
    assert admin("listDomains", keyword="nothing") == {}
    for bad in ({"page": 1}, {"pagesize": 5}, {"page": 1, "pagesize": -1}, {"page": 1, "pagesize": 100_000}):
        refused(431, admin, "listDomains", **bad)
    refused(431, admin, "listDomains", page=1, pagesize=0)


def test_a_job_shows_on_what_it_works(api: Api, admin: Client) -> None:
    domain = admin("createDomain", name="d")["domain"]
    assert "jobid" not in domain
    reply = admin.reply("beBusy", id=domain["id"])
    job_id = reply.body["jobid"]
    assert list(reply.body) == ["jobid"]
    result = admin.job(job_id)
    assert result["echo"]["jobid"] == job_id and result["echo"]["jobstatus"] == 0
    assert "jobid" not in admin("listDomains", id=domain["id"])["domain"][0]
    shown = admin("queryAsyncJobResult", jobid=job_id)
    assert shown["jobstatus"] == 1 and shown["jobresultcode"] == 0 and shown["jobresulttype"] == "object"
    assert shown["jobinstanceid"] == domain["id"] and shown["cmd"] == "beBusy" and shown["account"] == "admin"


def test_a_failed_job(api: Api, admin: Client) -> None:
    domain = admin("createDomain", name="d")["domain"]
    job_id = admin.reply("beBusy", id=domain["id"], fail=True).body["jobid"]
    refused_job = json.loads(admin.reply("queryAsyncJobResult", jobid=job_id).text())
    assert refused_job["queryasyncjobresultresponse"]["jobstatus"] in (0, 2)
    with pytest.raises(Exception, match="in use"):
        admin.job(job_id)
    assert admin("queryAsyncJobResult", jobid=job_id)["jobresultcode"] == 536


def test_anothers_job_is_not_shown(api: Api, admin: Client) -> None:
    domain = admin("createDomain", name="d")["domain"]
    _, ann = api.account("ann")
    job_id = admin.reply("beBusy", id=domain["id"]).body["jobid"]
    refused(531, ann, "queryAsyncJobResult", jobid=job_id)
    refused(431, ann, "queryAsyncJobResult", jobid="nothing")


def test_xml(api: Api, admin: Client) -> None:
    admin("createDomain", name="a & <b>")
    reply = ask(api, command="listDomains", listall="true")
    root = parse_xml(reply)
    assert reply.content_type.startswith("text/xml") and root.tag == "listdomainsresponse"
    assert root.get("cloud-stack-version") and root.findtext("count") == "2"
    assert [d.findtext("name") for d in root.findall("domain")] == ["ROOT", "a & <b>"]
    assert root.findall("domain")[0].findtext("haschild") == "true"
    error = parse_xml(ask(api, command="createDomain"))
    assert error.tag == "createdomainresponse" and error.findtext("errorcode") == "431"
    job = ask(api, command="beBusy", id=root.findall("domain")[1].findtext("id") or "")
    api.run(api.manager.jobs.wait(job.body["jobid"]))
    result = parse_xml(ask(api, command="queryAsyncJobResult", jobid=job.body["jobid"]))
    assert result.find("jobresult/echo/id") is not None


def test_list_apis(api: Api, admin: Client) -> None:
    apis = {a["name"]: a for a in admin("listApis")["api"]}
    assert len(apis) == sum(command.needs is None for command in COMMANDS.values())
    create = apis["createAccount"]
    assert create["isasync"] is False and "listAccounts" in create["related"]
    by_name = {p["name"]: p for p in create["params"]}
    assert by_name["username"] | {"description": ""} == {
        "name": "username",
        "description": "",
        "type": "string",
        "length": 255,
        "required": True,
    }
    assert "listDomains" in by_name["domainid"]["related"].split(",")
    assert {r["name"]: r["type"] for r in create["response"]}["created"] == "date"
    assert apis["deleteAccount"]["isasync"] is True
    assert all(a["description"] and all(p["description"] for p in a["params"]) for a in apis.values())
    _, ann = api.account("ann")
    names = {a["name"] for a in ann("listApis")["api"]}
    assert "listUsers" in names and "createDomain" not in names
    assert admin("listApis", name="listapis")["count"] == 1


def test_capabilities(admin: Client) -> None:
    assert admin("listCapabilities")["capability"]["cloudstackversion"]


def test_creating_for_others(api: Api, admin: Client) -> None:
    made, _ = api.account("ann")
    _, bob = api.account("bob")
    whose = dict(account="ann", domainid=made["domainid"])
    assert admin("createProject", name="p", **whose)["project"]["owner"][0]["account"] == "ann"
    refused(531, bob, "createProject", name="q", **whose)
    refused(431, admin, "createProject", name="q", account="ann")
    refused(431, admin, "createProject", name="q", account="nobody", domainid=made["domainid"])
    refused(431, admin, "listTags", account="nobody", domainid=made["domainid"])
    refused(531, bob, "listTags", **whose)

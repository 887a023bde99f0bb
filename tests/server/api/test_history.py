"""Archiving and deleting events and alerts through the API."""

from __future__ import annotations

from tests.server.api.api_harness import Api, Client, refused


def _names(client: Client, **parameters: object) -> list[str]:
    return [event["type"] for event in client("listEvents", listall=True, **parameters).get("event", [])]


def test_archived_events_are_listed_only_when_asked_for(admin: Client) -> None:
    admin("createDomain", name="a")
    event = admin("listEvents", type="DOMAIN.CREATE", listall=True)["event"][0]
    admin("archiveEvents", ids=event["id"])
    assert "DOMAIN.CREATE" not in _names(admin)
    assert _names(admin, archived=True) == ["DOMAIN.CREATE"]
    refused(431, admin, "deleteEvents", ids=event["id"])  # put away already


def test_deleted_events_are_gone(admin: Client) -> None:
    admin("createDomain", name="a")
    admin("createDomain", name="b")
    admin("deleteEvents", type="DOMAIN.CREATE")
    assert "DOMAIN.CREATE" not in _names(admin) + _names(admin, archived=True)


def test_nothing_goes_without_a_condition(admin: Client) -> None:
    before = _names(admin)
    assert "must be specified" in refused(431, admin, "deleteEvents").text
    assert "enddate" in refused(431, admin, "deleteEvents", startdate="2020-01-01").text
    refused(431, admin, "archiveEvents", type="NO.SUCH")
    assert _names(admin) == before


def test_users_put_away_their_own_events_only(api: Api) -> None:
    ann, bob = api.account("ann")[1], api.account("bob")[1]
    ann("createSSHKeyPair", name="k")
    theirs = ann("listEvents")["event"]
    refused(531, bob, "deleteEvents", ids=theirs[0]["id"])
    ann("deleteEvents", ids=theirs[0]["id"])
    assert theirs[0]["id"] not in [e["id"] for e in ann("listEvents").get("event", [])]


def test_an_alert_is_raised_listed_and_archived(admin: Client) -> None:
    admin("generateAlert", type=100, name="DOOR.OPEN", description="the door of the hall is open")
    alert = admin("listAlerts")["alert"][0]
    assert (alert["type"], alert["name"], alert["description"]) == (100, "DOOR.OPEN", "the door of the hall is open")
    admin("archiveAlerts", ids=alert["id"])
    assert admin("listAlerts") == {}
    admin("generateAlert", type=100, name="DOOR.OPEN", description="again")
    admin("deleteAlerts", type=100)
    assert admin("listAlerts") == {}


def test_an_alerts_number_and_name_belong_together(admin: Client) -> None:
    assert "ALERT.CPU" in refused(431, admin, "generateAlert", type=1, name="other", description="x").text
    refused(431, admin, "generateAlert", type=99, name="ALERT.CPU", description="x")
    assert {each["type"]: each["name"] for each in admin("listAlertTypes")["alert"]}[19] == "ALERT.SERVICE.SSVM"

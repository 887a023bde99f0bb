"""User data that is linked to a template: what instances of it get, beside what their owner gives."""

from __future__ import annotations

import base64
from email import message_from_bytes
from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi

TEMPLATES, OWN = "#cloud-config\npackages: [curl]\n", "#!/bin/sh\necho mine\n"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Linking:
    """A template with user data linked to it by some policy, and instances of it."""

    def __init__(self, api: CloudApi) -> None:
        self.api = api
        registered = api.admin("registerUserData", name="init", userdata=encoded(TEMPLATES))
        self.registered: str = registered["userdata"]["id"]

    def link(self, policy: str) -> None:
        template = self.api.cloud.template.id
        self.api.admin("linkUserDataToTemplate", templateid=template, userdataid=self.registered, userdatapolicy=policy)

    def asked(self, **more: Any) -> dict[str, Any]:
        offering = next(row for row in self.api.listed("listServiceOfferings", "serviceoffering") if not row["iscustomized"])
        of = {"zoneid": self.api.zone, "templateid": self.api.cloud.template.id, "serviceofferingid": offering["id"]}
        return {**of, "networkids": self.api.network()["id"], "startvm": False, **more}

    def deployed(self, **more: Any) -> dict[str, Any]:
        vm: dict[str, Any] = self.api.admin("deployVirtualMachine", **self.asked(**more))["virtualmachine"]
        return vm

    def given(self, vm: dict[str, Any]) -> str:
        """The user data of that instance, in plain."""
        answer = self.api.admin("getVirtualMachineUserData", virtualmachineid=vm["id"])
        return base64.b64decode(answer["virtualmachineuserdata"]["userdata"]).decode()


@pytest.fixture
def linking(cloud_api: CloudApi) -> Linking:
    return Linking(cloud_api)


def test_an_instance_gets_its_templates_user_data_or_its_owners_instead(linking: Linking) -> None:
    linking.link("ALLOWOVERRIDE")
    plain = linking.deployed()
    assert linking.given(plain) == TEMPLATES
    assert (plain["userdataid"], plain["userdatapolicy"]) == (linking.registered, "ALLOWOVERRIDE")
    own = linking.deployed(userdata=encoded(OWN))
    assert linking.given(own) == OWN and "userdataid" not in own


def test_a_template_can_allow_no_user_data_but_its_own(linking: Linking) -> None:
    linking.link("DENYOVERRIDE")
    error = refused(431, linking.api.admin, "deployVirtualMachine", **linking.asked(userdata=encoded(OWN)))
    assert "deny any userdata" in error.text
    assert linking.api.listed("listVirtualMachines", "virtualmachine") == []
    vm = linking.deployed()
    assert linking.given(vm) == TEMPLATES
    refused(431, linking.api.admin, "resetUserDataForVirtualMachine", id=vm["id"], userdata=encoded(OWN))
    refused(431, linking.api.admin, "updateVirtualMachine", id=vm["id"], userdata=encoded(OWN))
    assert linking.given(vm) == TEMPLATES


def test_the_owners_user_data_is_appended_as_a_part_of_its_own(linking: Linking) -> None:
    linking.link("APPEND")
    vm = linking.deployed(userdata=encoded(OWN))

    def parts() -> list[tuple[str, str]]:
        message = message_from_bytes(linking.given(vm).encode())
        pieces: Any = message.get_payload()
        return [(part.get_content_type(), part.get_payload(decode=True).decode()) for part in pieces]

    assert parts() == [("text/cloud-config", TEMPLATES), ("text/x-shellscript", OWN)]
    again = linking.given(vm)
    linking.api.admin("resetUserDataForVirtualMachine", id=vm["id"], userdata=encoded(again))
    assert parts() == [("text/cloud-config", TEMPLATES), ("text/cloud-config", TEMPLATES), ("text/x-shellscript", OWN)]
    zipped = base64.b64encode(b"\x1f\x8b\x08\x00").decode()
    assert "gzip" in refused(431, linking.api.admin, "deployVirtualMachine", **linking.asked(userdata=zipped)).text

"""The values of the variables in an instance's user data."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks

TEMPLATE = base64.b64encode(b"## template: jinja\n#cloud-config\nhostname: {{ ds.meta_data.role }}\n").decode()


def of(**values: str) -> dict[str, str]:
    return {f"userdatadetails[0].{name}": value for name, value in values.items()}


def told(cloud: TwoRacks, vm: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """What the cloud says of an instance's values, and what its guest finds in its metadata."""
    return json.loads(cloud.vm(vm["id"]).get("userdatadetails", "{}")), cloud.guest(cloud.vm(vm["id"])).metadata


def test_a_guest_finds_the_values_in_its_metadata(cloud: TwoRacks) -> None:
    vm = cloud.deploy("web", userdata=TEMPLATE, **of(role="front", port="80"))
    values, metadata = told(cloud, vm)
    assert values == {"role": "front", "port": "80"} and values.items() <= metadata.items()
    assert metadata["availability-zone"]


def test_the_values_change_alone_and_go_with_their_user_data(cloud: TwoRacks) -> None:
    vm = cloud.deploy("web", userdata=TEMPLATE, **of(role="front"))
    cloud.admin("updateVirtualMachine", id=vm["id"], displayname="w")
    assert told(cloud, vm)[0] == {"role": "front"}
    cloud.admin("updateVirtualMachine", id=vm["id"], **of(role="back"))
    assert told(cloud, vm)[0] == {"role": "back"}
    cloud.admin("stopVirtualMachine", id=vm["id"])
    cloud.admin("resetUserDataForVirtualMachine", id=vm["id"], userdata=TEMPLATE, **of(other="1"))
    cloud.admin("startVirtualMachine", id=vm["id"])
    values, metadata = told(cloud, vm)
    assert values == {"other": "1"} and metadata["other"] == "1" and "role" not in metadata
    cloud.admin("updateVirtualMachine", id=vm["id"], userdata=TEMPLATE)
    assert told(cloud, vm)[0] == {}


def test_values_that_metadata_cannot_have_are_refused(cloud: TwoRacks) -> None:
    plain, templated = cloud.deploy("plain"), cloud.deploy("web", userdata=TEMPLATE)
    before = cloud.rows()
    for wrong, why in (
        ({"vm-id": "x"}, "says of every instance"),
        ({"a/b": "x"}, "no name of a variable"),
        ({"a": "x\ny"}, "one line"),
        ({"a": "x" * 1025}, "at most 1024"),
    ):
        for command, asked in (
            ("deployVirtualMachine", cloud.wanted(name="new", userdata=TEMPLATE)),
            ("updateVirtualMachine", {"id": templated["id"]}),
        ):
            assert why in refused(431, cloud.admin, command, **asked, **of(**wrong)).text
    assert "there is none" in refused(431, cloud.admin, "updateVirtualMachine", id=plain["id"], **of(a="x")).text
    assert cloud.rows() == before

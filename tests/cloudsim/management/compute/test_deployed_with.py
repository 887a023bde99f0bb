"""What instances are deployed with: key pairs, user data, affinity and instance groups."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.compute.user_data import MAX_BYTES, checked
from cloudsim.model import AffinityGroup, SshKeyPair, UserData, VirtualMachine
from tests.cloudsim.management.cloud_harness import Cloud

BLOB = b"\0\0\0\x07ssh-rsa" + b"\0\0\0\x03\x01\0\x01" + b"\0\0\0\x81" + b"\0" + b"\xb5" * 128
PUBLIC = "ssh-rsa " + base64.b64encode(BLOB).decode()


def test_a_created_key_pair_fits_its_private_key(cloud: Cloud) -> None:
    pair, private = cloud.manager.key_pairs.create(cloud.owner, "mine")
    key = serialization.load_pem_private_key(private.encode(), None)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert pair.public_key == public.decode() and pair.fingerprint.count(":") == 15
    assert private.startswith("-----BEGIN RSA PRIVATE KEY-----")


def test_a_fingerprint_is_the_md5_of_the_key(cloud: Cloud) -> None:
    pair = cloud.manager.key_pairs.register(cloud.owner, "theirs", PUBLIC + " me@here")
    assert pair.fingerprint.replace(":", "") == hashlib.md5(BLOB).hexdigest()
    with pytest.raises(InvalidParameterValue, match="already exists: theirs"):
        cloud.manager.key_pairs.register(cloud.owner, "again", base64.b64encode(PUBLIC.encode()).decode())
    with pytest.raises(InvalidParameterValue, match="'theirs' already exists"):
        cloud.manager.key_pairs.create(cloud.owner, "theirs")
    cloud.manager.key_pairs.delete(cloud.owner, "theirs")
    with pytest.raises(InvalidParameterValue, match="does not exist"):
        cloud.manager.key_pairs.delete(cloud.owner, "theirs")
    assert len(cloud.table(SshKeyPair)) == 0


@pytest.mark.parametrize(
    "key", ["", "ssh-rsa", "ssh-rsa !!!", "ssh-rsa AAAA", "ssh-dss " + PUBLIC[8:], "hello"]
)
def test_what_is_no_public_key(cloud: Cloud, key: str) -> None:
    with pytest.raises(InvalidParameterValue, match="invalid"):
        cloud.manager.key_pairs.register(cloud.owner, "k", key)


def test_user_data_is_base64_and_kept_while_it_is_used(cloud: Cloud) -> None:
    text = base64.b64encode(b"#cloud-config").decode()
    row = cloud.manager.user_data.register(cloud.owner, "init", text, "a,b")
    linked = cloud.manager.user_data.link(cloud.template, row, "append")
    assert (linked.user_data_id, linked.user_data_policy) == (row.id, "APPEND")
    with pytest.raises(ResourceInUse, match="linked to templates"):
        cloud.manager.user_data.delete(row)
    cloud.manager.user_data.link(cloud.template, None, None)
    cloud.manager.user_data.delete(row)
    assert len(cloud.table(UserData)) == 0
    for wrong in ("", "not base64!", "A" * (MAX_BYTES + 4)):
        with pytest.raises(InvalidParameterValue, match="User data"):
            checked(wrong)


def test_affinity_groups_know_their_instances_and_leave_them_when_deleted(cloud: Cloud) -> None:
    groups, vm = cloud.manager.affinity_groups, cloud.deploy(start=False)
    group = groups.create(cloud.owner, "apart", "host anti-affinity")
    with cloud.store.transaction():
        cloud.table(VirtualMachine).update(vm.id, affinity_group_ids=(group.id,))
    assert [member.id for member in groups.members(group)] == [vm.id]
    with pytest.raises(InvalidParameterValue, match="already exists"):
        groups.create(cloud.owner, "apart", "host affinity")
    with pytest.raises(InvalidParameterValue, match="invalid affinity group type"):
        groups.create(cloud.owner, "other", "rack affinity")
    groups.delete(groups.of_name(cloud.owner, "apart"))
    assert (
        cloud.table(VirtualMachine)[vm.id].affinity_group_ids == () and len(cloud.table(AffinityGroup)) == 0
    )


def test_instance_groups(cloud: Cloud) -> None:
    groups, vm = cloud.manager.instance_groups, cloud.deploy(start=False)
    group = groups.ensure(cloud.owner, "web")
    assert groups.ensure(cloud.owner, "web") == group
    with cloud.store.transaction():
        cloud.table(VirtualMachine).update(vm.id, group_id=group.id)
    assert groups.rename(group, "front").name == "front"
    with pytest.raises(InvalidParameterValue, match="already exists"):
        groups.create(cloud.owner, "front")
    groups.delete(group)
    assert cloud.table(VirtualMachine)[vm.id].group_id is None

import pytest

from backends.simulated import datacenter
from backends.simulated.datacenter import DatacenterError, Hosts, from_dict, from_yaml, load, uniform
from backends.simulated.layout import Layout


def test_the_default_datacenters_are_what_their_comments_say() -> None:
    small = Layout(load("examples/datacenters/small.yaml"))
    assert [len(list(small.pods())), len(list(small.racks())), len(list(small.hosts()))] == [2, 4, 16]
    host = next(small.hosts())
    assert (host.group.cores, host.group.mhz, host.group.memory) == (8, 2000, 32 * 1024)
    classroom = Layout(load("examples/datacenters/classroom.yaml"))
    assert len(list(classroom.hosts())) == 10


def test_an_empty_description_is_a_datacenter() -> None:
    layout = Layout(from_dict({}))
    assert [h.path for h in layout.hosts()] == [f"zone-1/pod-1/rack-1/host-{n}" for n in (1, 2, 3, 4)]


def test_names_count_through_the_parent_and_addresses_through_the_pod() -> None:
    layout = Layout(
        from_dict(
            {
                "zones": [
                    {
                        "name": "paris",
                        "pods": [
                            {
                                "racks": [
                                    {"count": 2, "hosts": [{"count": 1}, {"name": "gpu"}]},
                                    {"hosts": 1},
                                    {"name": "old", "hosts": 1},
                                ]
                            }
                        ],
                    }
                ]
            }
        )
    )
    assert [(h.path, h.address) for h in layout.hosts()] == [
        ("paris/pod-1/rack-1/host-1", "10.0.0.2"),
        ("paris/pod-1/rack-1/gpu", "10.0.0.3"),
        ("paris/pod-1/rack-2/host-1", "10.0.0.4"),
        ("paris/pod-1/rack-2/gpu", "10.0.0.5"),
        ("paris/pod-1/rack-3/host-1", "10.0.0.6"),
        ("paris/pod-1/old/host-1", "10.0.0.7"),
    ]
    assert len({h.name for h in layout.hosts()}) == 6


def test_pods_have_networks_that_do_not_overlap_and_hold_their_hosts() -> None:
    layout = Layout(uniform(zones=2, pods=3, racks=5, hosts_per_rack=60))
    networks = [pod.network for pod in layout.pods()]
    assert not any(a.overlaps(b) for i, a in enumerate(networks) for b in networks[:i])
    addresses = [h.address for h in layout.hosts()]
    assert len(set(addresses)) == len(addresses)
    pod = next(layout.pods())
    assert pod.start_ip not in addresses and pod.end_ip not in addresses


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("zones:\n- pods:\n  - racks:\n    - hosts:\n      - count: 2\n        coers: 8\n", "dc.yaml:6: .*coers"),
        ("zones:\n- pods:\n  - racks:\n    - hosts:\n      - count: 2\n      - cores: 0\n", r"dc.yaml:6: .*\[1\].cores"),
        ("zones:\n\n- guest_cidr: 10.1.1.1/24\n", "dc.yaml:3: .*guest_cidr: .*host bits"),
        ("zones: [\n", "dc.yaml:2"),
        ("zones:\n- pods: many\n", r"dc.yaml:2: zones\[0\].pods"),
        ("[]", "dc.yaml:1: the description"),
        ("zones:\n- pods:\n  - racks:\n    - hosts:\n      - {gpus: 2}\n", "dc.yaml:5: .*gpu_model"),
    ],
)
def test_errors_name_file_line_and_key(text: str, says: str) -> None:
    with pytest.raises(DatacenterError, match=says):
        from_yaml(text, "dc.yaml")


def test_a_missing_file_and_a_double_name_are_said_plainly() -> None:
    with pytest.raises(DatacenterError, match=r"nowhere\.yaml: No such file"):
        load("nowhere.yaml")
    with pytest.raises(DatacenterError, match="the name a stands for two things"):
        Layout(from_dict({"zones": [{"name": "z", "secondary_storage": [{"name": "a"}, {"name": "a"}]}]}))
    with pytest.raises(DatacenterError, match="the name a-1 stands for two things"):
        Layout(from_dict({"zones": [{"name": "a", "count": 2}, {"name": "a-1"}]}))
    with pytest.raises(DatacenterError, match="the name a stands for two things"):
        Layout(from_dict({"zones": [{"name": "z", "primary_storage": [{"name": "a"}, {"name": "a"}]}]}))


def test_a_pod_too_small_for_its_hosts_is_refused() -> None:
    with pytest.raises(DatacenterError, match="too small for 200 hosts"):
        Layout(from_dict({"zones": [{"pods": [{"cidr": "192.168.0.0/24", "racks": [{"hosts": 200}]}]}]}))


def test_memory_is_given_in_either_unit() -> None:
    assert Hosts(memory_gib=1.5).memory == 1536
    assert Hosts(memory_mib=700).memory == 700


def test_there_is_a_json_schema() -> None:
    schema = datacenter.schema()
    assert "Hosts" in schema["$defs"] and schema["$defs"]["Hosts"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"end_ip": "203.0.113.5"}, "comes after the end IP"),
        ({"start_ip": "203.0.114.10"}, "is not an address of"),
        ({"gateway": "203.0.113.12"}, "must not be in the range"),
        ({"netmask": "24"}, "netmask"),
        ({"vlan": "fifty"}, "vlan"),
        ({"vlan": "100"}, "the public vlan 100 is one of guest_vlans"),
    ],
)
def test_public_addresses_that_cannot_be_are_refused_where_they_are_described(
    wrong: dict[str, str], says: str
) -> None:
    public = {
        "start_ip": "203.0.113.10",
        "end_ip": "203.0.113.20",
        "netmask": "255.255.255.0",
        "gateway": "203.0.113.1",
    }
    from_dict({"zones": [{"public": public}]})
    with pytest.raises(DatacenterError, match=says):
        from_dict({"zones": [{"public": public | wrong}]})

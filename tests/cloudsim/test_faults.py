import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.faults import (
    AgentHang,
    Fault,
    FaultError,
    HostCrash,
    LinkCut,
    ManagerRestart,
    MessageDelay,
    MessageDuplication,
    MessageLoss,
    PoolFull,
    SlowDisk,
    faults_from,
    faults_to,
    is_random,
    matches,
)

TIMES = st.fixed_dictionaries(
    {"at": st.floats(0, 1e6)}, optional={"every": st.floats(1, 1e6), "duration": st.floats(0, 1e5)}
)
TARGETS = st.sampled_from(["random", "random:zone-1/*", "*", "host-1.rack-1.pod-1"])
FAULTS = TIMES.flatmap(
    lambda times: st.one_of(
        st.builds(HostCrash, host=TARGETS, **{k: st.just(v) for k, v in times.items()}),
        st.builds(AgentHang, host=TARGETS, **{k: st.just(v) for k, v in times.items()}),
        st.builds(LinkCut, link=TARGETS, **{k: st.just(v) for k, v in times.items()}),
        st.builds(SlowDisk, factor=st.floats(1.5, 100), **{k: st.just(v) for k, v in times.items()}),
        st.builds(PoolFull, **{k: st.just(v) for k, v in times.items()}),
        st.builds(MessageLoss, rate=st.floats(0.01, 1), **{k: st.just(v) for k, v in times.items()}),
        st.builds(MessageDuplication, rate=st.floats(0.01, 1), **{k: st.just(v) for k, v in times.items()}),
        st.builds(MessageDelay, seconds=st.floats(0.01, 60), **{k: st.just(v) for k, v in times.items()}),
        st.builds(ManagerRestart, **{k: st.just(v) for k, v in times.items()}),
    )
)


@given(st.lists(FAULTS, max_size=5))
def test_a_list_survives_yaml(faults: list[Fault]) -> None:
    assert faults_from(yaml.safe_load(yaml.safe_dump(faults_to(faults)))) == tuple(faults)


def test_the_example_of_the_module_is_right() -> None:
    text = """
      - {fault: HostCrash, host: random, every: 86400, duration: 600}
      - {fault: LinkCut, link: zone-1/pod-1/rack-2, at: 3600, duration: 120}
      - {fault: MessageLoss, rate: 0.01, at: 0}
    """
    assert faults_from(yaml.safe_load(text)) == (
        HostCrash(every=86400, duration=600),
        LinkCut(link="zone-1/pod-1/rack-2", at=3600, duration=120),
        MessageLoss(rate=0.01, at=0),
    )
    assert faults_from(None) == ()


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([{"fault": "HostCrash", "host": "a"}], r"faults\[0\] \(HostCrash\): .*needs a time"),
        ([{"fault": "HostCrash", "at": -1}], "`float` >= 0"),
        ([{"fault": "HostCrash", "every": 0}], "every"),
        ([{"fault": "HostCrash", "at": 1, "hots": "a"}], "hots"),
        ([{"fault": "MessageLoss", "at": 1, "rate": 2}], "rate"),
        ([{"fault": "SlowDisk", "at": 1, "factor": 1}], "factor"),
        ([{"fault": "HostCrash", "at": 1}, {"fault": "Flood", "at": 1}], r"faults\[1\] \(Flood\): .*'Flood'"),
        (["HostCrash"], r"faults\[0\]"),
        ({"fault": "HostCrash"}, "expected a list"),
    ],
)
def test_what_is_wrong_is_said(items: object, text: str) -> None:
    with pytest.raises(FaultError, match=text):
        faults_from(items)


def test_targets() -> None:
    assert matches("zone-1/pod-*/h1", "other", "zone-1/pod-2/h1") and not matches("h1", "h11")
    assert matches("random", "anything") and matches("random:h*", "h1") and not matches("random:h*", "x")
    assert is_random("random") and is_random("random:h*") and not is_random("randomly")
    assert matches("rack-[12]", "rack-2") and matches("odd[name]", "odd[name]")

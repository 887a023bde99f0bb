"""Load balancer rules: their members, stickiness, health checks and certificates."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from cloudsim.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceInUse,
    ResourceUnavailable,
)
from cloudsim.management.network.stickiness_methods import METHODS, capability
from cloudsim.model import (
    Account,
    FirewallRule,
    HealthCheckPolicy,
    LoadBalancerMember,
    LoadBalancerRule,
    SslCertificate,
    StickinessPolicy,
)
from tests.cloudsim.management.network.rule_bench import TIER, RuleBench

ANN = Account(id="ann", name="ann", type=0, domain_id="root")
BOB = Account(id="bob", name="bob", type=0, domain_id="root")


@pytest.fixture
def bench() -> RuleBench:
    return RuleBench()


# rules


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"algorithm": "random"}, "algorithm"),
        ({"protocol": "http"}, "protocol"),
        ({"name": " "}, "name"),
        ({"private_port": 0}, "privatePort"),
        ({"cidrs": ["everyone"]}, "cidrlist"),
    ],
)
def test_what_is_no_load_balancer_is_refused(bench: RuleBench, asked: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidParameterValue, match=named):
        bench.balance(80, **asked)
    assert bench.rows(LoadBalancerRule) == bench.rows(FirewallRule) == []


def test_a_rule_opens_the_firewall_for_all_and_turns_away_by_itself(bench: RuleBench) -> None:
    rule = bench.balance(80, cidrs=["198.51.100.0/24"], protocol="udp", algorithm="LeastConn")
    (opened,) = bench.rows(FirewallRule)
    assert (opened.protocol, opened.start_port, opened.cidrs) == ("udp", 80, ("0.0.0.0/0",))
    assert (rule.cidrs, rule.algorithm) == (("198.51.100.0/24",), "leastconn")


def test_a_rule_is_changed_with_its_router_or_not_at_all(bench: RuleBench) -> None:
    rule, balancers = bench.balance(80), bench.rules.load_balancers
    fields = balancers.changes_of(
        rule, name="other", algorithm="source", protocol="tcp-proxy", cidrs=["10.0.0.0/8"]
    )
    changed = bench.do(balancers.update(rule, fields))
    assert (changed.name, changed.algorithm, changed.protocol) == ("other", "source", "tcp-proxy")
    with pytest.raises(InvalidParameterValue, match="tcp port"):
        balancers.changes_of(changed, protocol="udp")
    bench.routers.broken = True
    with pytest.raises(ResourceUnavailable):
        bench.do(balancers.update(changed, balancers.changes_of(changed, algorithm="roundrobin")))
    assert bench.now(rule) == changed


def test_an_internal_load_balancer_balances_no_public_address(bench: RuleBench) -> None:
    with bench.store.transaction():
        inner = bench.network("inner", "10.20.9.0/24", f"{TIER}WithInternalLB", vpc_id="vpc")
    with pytest.raises(InvalidParameterValue, match="Service Lb"):
        bench.balance(80, bench.vpc_ip, network=inner)


# members


def _assign(bench: RuleBench, rule: LoadBalancerRule, *vms: Any, **addresses: list[str]) -> None:
    members = bench.rules.members
    bench.do(members.assign(rule, members.check_assign(rule, vms, addresses)))


def test_instances_are_behind_a_rule_by_their_addresses(bench: RuleBench) -> None:
    rule = bench.balance(80)
    assert [vm.id for vm in bench.rules.members.assignable(rule)] == ["web", "db"]
    _assign(bench, rule, bench.web, bench.db, web=["10.1.1.10", "10.1.1.110"])
    assert {vm: [m.ip for m in found] for vm, found in bench.rules.members.of(rule).items()} == {
        "web": ["10.1.1.10", "10.1.1.110"],
        "db": ["10.1.1.11"],
    }
    assert bench.rules.members.assignable(rule) == []
    with pytest.raises(InvalidParameterValue, match="already mapped"):
        _assign(bench, rule, bench.db)


def test_only_instances_in_the_network_are_behind_a_rule(bench: RuleBench) -> None:
    rule = bench.balance(80)
    with pytest.raises(InvalidParameterValue, match="doesn't belong to network front"):
        _assign(bench, rule, bench.far)
    with pytest.raises(InvalidParameterValue, match="vmguestip"):
        _assign(bench, rule, bench.web, web=["10.1.1.99"])
    with pytest.raises(InvalidParameterValue, match="virtualmachineids"):
        _assign(bench, rule)
    assert bench.rows(LoadBalancerMember) == []


def test_instances_leave_a_rule_whole_or_by_one_address(bench: RuleBench) -> None:
    rule, members = bench.balance(80), bench.rules.members
    _assign(bench, rule, bench.web, bench.db, web=["10.1.1.10", "10.1.1.110"])
    bench.do(members.remove(rule, members.check_remove(rule, [bench.web], {"web": ["10.1.1.110"]})))
    assert [m.ip for m in bench.rows(LoadBalancerMember)] == ["10.1.1.10", "10.1.1.11"]
    with pytest.raises(InvalidParameterValue, match="not mapped"):
        members.check_remove(rule, [bench.web], {"web": ["10.1.1.110"]})
    leaving = members.check_remove(rule, [bench.web, bench.db], {})
    bench.routers.broken = True
    with pytest.raises(ResourceUnavailable):
        bench.do(members.remove(rule, leaving))
    assert {m.id for m in bench.rows(LoadBalancerMember)} == {m.id for m in leaving}
    bench.routers.broken = False
    bench.do(members.remove(rule, leaving))
    assert bench.rows(LoadBalancerMember) == []
    with pytest.raises(InvalidParameterValue, match="not mapped"):
        members.check_remove(rule, [bench.web], {})


def test_nobody_is_behind_a_rule_when_its_router_does_not_follow(bench: RuleBench) -> None:
    rule = bench.balance(80)
    bench.routers.broken = True
    with pytest.raises(ResourceUnavailable):
        _assign(bench, rule, bench.web)
    assert bench.rows(LoadBalancerMember) == []


# stickiness


def _stick(bench: RuleBench, rule: LoadBalancerRule, method: str, **parameters: str) -> StickinessPolicy:
    policies = bench.rules.policies
    named = {name.replace("_", "-"): value for name, value in parameters.items()}
    policy = policies.sticky(rule, name="sticky", method=method, parameters=named)
    made: StickinessPolicy = bench.do(policies.put(policy))
    return made


def test_a_method_takes_its_own_parameters(bench: RuleBench) -> None:
    rule = bench.balance(80)
    cookie = _stick(bench, rule, "lbcookie", cookie_name="C1", mode="rewrite", nocache="", indirect="TRUE")
    assert (cookie.method, cookie.parameters) == (
        "LbCookie",
        {"cookie-name": "C1", "mode": "rewrite", "nocache": "true", "indirect": "true"},
    )
    _stick(
        bench, rule, "AppCookie", cookie_name="JSESSIONID", length="52", holdtime="3h", request_learn="true"
    )
    source = _stick(bench, rule, "SourceBased", tablesize="200k", expire="30m")
    assert bench.rows(StickinessPolicy) == [source]


@pytest.mark.parametrize(
    ("method", "parameters", "named"),
    [
        ("Random", {}, "methodname"),
        ("SourceBased", {"cookie_name": "C1"}, "cookie-name"),
        ("SourceBased", {"tablesize": "many"}, "tablesize"),
        ("SourceBased", {"expire": "3 hours"}, "expire"),
        ("LbCookie", {"mode": "replace"}, "mode"),
        ("LbCookie", {"nocache": "perhaps"}, "nocache"),
        ("LbCookie", {"cookie_name": "C 1; drop"}, "cookie-name"),
        ("AppCookie", {"length": "52k"}, "length"),
    ],
)
def test_a_method_takes_nothing_else(
    bench: RuleBench, method: str, parameters: dict[str, str], named: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=named):
        _stick(bench, bench.balance(80), method, **parameters)
    assert bench.rows(StickinessPolicy) == []


def test_cookies_need_a_balancer_that_looks_into_http(bench: RuleBench) -> None:
    for number, protocol in enumerate(("udp", "tcp-proxy")):
        rule = bench.balance(80 + number, protocol=protocol)
        with pytest.raises(InvalidParameterValue, match="LbCookie"):
            _stick(bench, rule, "LbCookie")
        _stick(bench, rule, "SourceBased")
    rule = bench.balance(90)
    _stick(bench, rule, "LbCookie")
    with pytest.raises(InvalidParameterValue, match="stickiness policy"):
        bench.rules.load_balancers.changes_of(rule, protocol="tcp-proxy")


def test_a_policy_is_there_with_its_router_or_not_at_all(bench: RuleBench) -> None:
    rule = bench.balance(80)
    first = _stick(bench, rule, "SourceBased")
    bench.routers.broken = True
    with pytest.raises(ResourceUnavailable):
        _stick(bench, rule, "LbCookie")
    with pytest.raises(ResourceUnavailable):
        bench.do(bench.rules.policies.remove(first))
    assert bench.rows(StickinessPolicy) == [first]
    bench.routers.broken = False
    bench.do(bench.rules.policies.remove(first))
    assert bench.rows(StickinessPolicy) == []


def test_clients_read_the_methods_from_a_capability_as_json() -> None:
    told = json.loads(capability())
    assert {method["methodname"]: {p["paramname"] for p in method["paramlist"]} for method in told} == {
        method.name: {parameter.name for parameter in method.parameters} for method in METHODS
    }


# health checks


def test_a_health_check_has_cloudstacks_defaults_and_bounds(bench: RuleBench) -> None:
    rule, policies = bench.balance(80), bench.rules.policies
    made = bench.do(policies.put(policies.health_check(rule)))
    assert (made.path, made.interval, made.response_timeout) == ("/", 5, 2)
    other = policies.health_check(
        rule, path="/health?full=1", interval=20, response_timeout=10, healthy_threshold=3
    )
    bench.do(policies.put(other))
    assert bench.rows(HealthCheckPolicy) == [other]
    for wrong, named in (
        ({"path": "health"}, "pingpath"),
        ({"path": "/a b"}, "pingpath"),
        ({"response_timeout": 1}, "responsetimeout"),
        ({"interval": 20_941}, "intervaltime"),
        ({"interval": 5, "response_timeout": 6}, "responsetimeout"),
        ({"healthy_threshold": 0}, "healthythreshold"),
        ({"unhealthy_threshold": 11}, "unhealthythreshold"),
    ):
        with pytest.raises(InvalidParameterValue, match=named):
            policies.health_check(rule, **wrong)
    with pytest.raises(InvalidParameterValue, match="udp"):
        policies.health_check(bench.balance(81, protocol="udp"))


# certificates

_NOW = datetime.fromtimestamp(1_800_000_000, UTC)


def _key() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


def _certificate(
    subject: str, key: Any, issuer: str | None = None, signer: Any = None, days: int = 365
) -> str:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer or subject))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(_NOW - timedelta(days=1000))
        .not_valid_after(_NOW + timedelta(days=days))
        .sign(
            signer or key, None if isinstance(signer or key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        )
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _pem(key: Any, password: str | None = None) -> str:
    how = (
        serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    )
    text: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    return text.decode()


ROOT_KEY, KEY, OTHER_KEY = _key(), _key(), _key()
ROOT = _certificate("root", ROOT_KEY)
LEAF = _certificate("www", KEY, "root", ROOT_KEY)


def test_a_certificate_is_kept_with_a_key_that_needs_no_password(bench: RuleBench) -> None:
    kept = bench.rules.certificates.upload(
        ANN, name="www", certificate=LEAF, private_key=_pem(KEY, "secret"), password="secret", chain=ROOT
    )
    key = serialization.load_pem_private_key(kept.private_key.encode(), None)
    assert key.public_key() == KEY.public_key()
    (parsed,) = x509.load_pem_x509_certificates(LEAF.encode())
    assert kept.fingerprint.replace(":", "") == parsed.fingerprint(hashes.SHA1()).hex().upper()
    with pytest.raises(InvalidParameterValue, match="name www"):
        bench.rules.certificates.upload(ANN, name="www", certificate=LEAF, private_key=_pem(KEY))
    bench.rules.certificates.upload(BOB, name="www", certificate=LEAF, private_key=_pem(KEY))


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"certificate": "nonsense"}, "certificate"),
        ({"certificate": LEAF + ROOT}, "certchain"),
        ({"private_key": "nonsense"}, "privatekey"),
        ({"private_key": _pem(KEY, "secret")}, "password"),
        ({"private_key": _pem(KEY, "secret"), "password": "guessed"}, "password"),
        ({"private_key": _pem(OTHER_KEY)}, "Bad public-private key"),
        ({"private_key": _pem(ed25519.Ed25519PrivateKey.generate())}, "neither"),
        ({"chain": LEAF}, "chain"),
        ({"chain": _certificate("root", OTHER_KEY)}, "chain"),
        ({"chain": "nonsense"}, "certchain"),
        ({"certificate": _certificate("www", KEY, days=-1)}, "expired"),
        ({"name": ""}, "name"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(
    bench: RuleBench, parts: dict[str, Any], named: str
) -> None:
    good = {"name": "www", "certificate": LEAF, "private_key": _pem(KEY)}
    with pytest.raises(InvalidParameterValue, match=named):
        bench.rules.certificates.upload(ANN, **{**good, **parts})
    assert bench.rows(SslCertificate) == []


def test_a_rule_of_ssl_has_one_certificate(bench: RuleBench) -> None:
    certificates = bench.rules.certificates
    mine, second = (
        certificates.upload(ANN, name=name, certificate=LEAF, private_key=_pem(KEY))
        for name in ("one", "two")
    )
    theirs = certificates.upload(BOB, name="theirs", certificate=LEAF, private_key=_pem(KEY))
    plain, rule = bench.balance(80), bench.balance(443, protocol="ssl")
    with pytest.raises(InvalidParameterValue, match="ssl"):
        certificates.check_assignable(plain, mine)
    with pytest.raises(PermissionDenied):
        certificates.check_assignable(rule, theirs)
    with pytest.raises(InvalidParameterValue, match="No certificate"):
        certificates.check_assigned(rule)
    certificates.check_assignable(rule, mine)
    rule = bench.do(certificates.assign(rule, mine))
    assert certificates.of_rule(rule) == mine
    with pytest.raises(InvalidParameterValue, match="already bound"):
        certificates.check_assignable(rule, second)
    certificates.check_assignable(rule, second, forced=True)
    with pytest.raises(ResourceInUse, match="lb"):
        certificates.delete(mine)
    with pytest.raises(InvalidParameterValue, match="certificate"):
        bench.rules.load_balancers.changes_of(rule, protocol="tcp")
    rule = bench.do(certificates.remove(rule))
    certificates.delete(mine)
    assert mine.id not in {row.id for row in bench.rows(SslCertificate)}


def test_an_account_that_goes_takes_rules_and_certificates_along(bench: RuleBench) -> None:
    bench.balance(80)
    bench.forward(22)
    bench.enable(bench.other_ip, bench.db)
    bench.rules.certificates.upload(ANN, name="one", certificate=LEAF, private_key=_pem(KEY))
    kept = bench.rules.certificates.upload(BOB, name="one", certificate=LEAF, private_key=_pem(KEY))
    bench.do(bench.rules.removal.delete_of(ANN))
    assert bench.rows(LoadBalancerRule) == bench.rows(FirewallRule) == []
    assert bench.rows(SslCertificate) == [kept]
    assert bench.now(bench.other_ip) == bench.other_ip

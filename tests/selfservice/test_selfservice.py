"""Self-service by several users in several domains, with faults: what must hold, holds; and what does not is noticed.

`python -m tests.selfservice --seed 1 --runs 100` goes on from here.
"""

from __future__ import annotations

from uuid import UUID

import pytest
from msgspec.structs import replace

from cloudsim.invariants import Violation
from cloudsim.management.identity.limited_resources import ResourceType
from cloudsim.management.identity.limits import Limits
from cloudsim.model import Account, SshKeyPair
from cloudsim.model.identity import ROOT_ADMIN
from server.api import scope
from tests.selfservice.run import Outcome, Run


def ran(seed: int, **how: float) -> Outcome:
    """The outcome of a run in which nothing was broken."""
    outcome = Run(seed, **how).outcome()  # type: ignore[arg-type]
    broken = "\n".join(map(str, outcome.violations))
    assert not outcome.violations, f"{broken}\nagain: python -m tests.selfservice --seed {seed}"
    return outcome


@pytest.mark.parametrize("seed", [1001, 1002])
def test_whatever_users_ask_and_whatever_fails_each_has_sees_and_leaves_behind_only_what_is_his(seed: int) -> None:
    outcome = ran(seed, gap=40)
    assert outcome.calls > 400 and sum(outcome.jobs.values()) > 150
    assert outcome.probes > 500 and outcome.seen > 3000 and outcome.tried > 200


def test_the_same_seed_is_the_same_run() -> None:
    first, second = ran(1003, gap=150), ran(1003, gap=150)
    assert first._replace(last=[]) == second._replace(last=[])  # in which new keys' fingerprints are told
    assert first.statuses != ran(1004, gap=150).statuses


class Broken(Run):
    """A run in whose cloud something is wrong from its first calm on."""

    def _look_closely(self) -> None:
        self.spoil()
        self._found(self.remains.check(self.cloud))
        super()._look_closely()

    def spoil(self) -> None:
        raise NotImplementedError


def noticed(run: Run) -> list[Violation]:
    outcome = run.outcome()
    assert outcome.violations, "nothing was noticed"
    return outcome.violations


def test_a_row_of_an_account_that_is_gone_is_noticed() -> None:
    class Left(Broken):
        def spoil(self) -> None:
            store, gone = self.cloud.store, str(UUID(int=1))
            accounts = store.table(Account)
            owner = accounts.page(0, 1)[0]
            with store.transaction():
                accounts.insert(replace(owner, id=gone, name="gone"))
            pair = SshKeyPair(
                id="left", name="left", account_id=gone, domain_id=owner.domain_id, public_key="", fingerprint=""
            )
            with store.transaction():
                accounts.delete(gone)
                store.table(SshKeyPair).insert(pair)

    found = noticed(Left(1005, gap=200, faults=False))
    assert any("SshKeyPair left: account_id names" in each.text for each in found)


def test_a_count_that_is_not_what_the_lists_show_is_noticed() -> None:
    class Miscounted(Broken):
        def spoil(self) -> None:
            counters = self.cloud.server.limits.counters
            right = counters["volume"]
            counters["volume"] = lambda store, owner: right(store, owner) + 1

    assert {each.invariant for each in noticed(Miscounted(1005, gap=200, faults=False))} >= {"counts equal reality"}


def test_a_limit_by_a_tag_that_is_not_asked_about_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    limit, check = Limits.of_account, Limits._check

    def one_by_each_tag(limits: Limits, account: Account, type: ResourceType, tag: str = "") -> int:
        return 1 if tag and account.type != ROOT_ADMIN else limit(limits, account, type, tag)

    def of_all(limits: Limits, owner: Account, type: ResourceType, amount: int, tag: str) -> None:
        if not tag:
            check(limits, owner, type, amount, tag)

    monkeypatch.setattr(Limits, "of_account", one_by_each_tag)
    monkeypatch.setattr(Limits, "_check", of_all)
    found = noticed(Run(1001, gap=100))
    assert all(each.invariant == "limits hold" and "by tag" in each.text for each in found), found


def test_what_is_shown_to_a_stranger_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shown(Broken):
        def spoil(self) -> None:
            everything = scope.Ownership(None)
            monkeypatch.setattr(scope, "ownership", lambda call, **how: everything)

    assert {each.invariant for each in noticed(Shown(1005, gap=200, faults=False))} >= {"nobody sees what is not his"}

"""All of a simulation that is compiled, by Numba, and cached on disk; the records and names are those of `state`.

It is one file because Numba's cache looks for changes only in the file that a function is in. Policies are not part
of it: they are called by pointers, so that a new one costs its own compilation only (see `compiled`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cloudsim.consolidation.detection.detection import REMEMBERED
from cloudsim.experiment.consolidation.state import ENERGY, LAST, NONE, ON_S, RECORDED_AT, SHUTDOWNS

ON_ITS_WAY = 0.1
"""The share of its CPU that an instance on its way takes from where it goes, and loses where it is."""

CLOSE = 1e-9
"""Less than that share of a host's CPU missing is rounding."""


@njit(cache=True)
def _append(slots: Any, ends: Any, h: int, slot: int) -> None:
    last = ends[h].last
    slots[slot].before = last
    slots[slot].after = NONE
    if last == NONE:
        ends[h].first = slot
    else:
        slots[last].after = slot
    ends[h].last = slot


@njit(cache=True)
def _unlink(slots: Any, ends: Any, h: int, slot: int) -> None:
    before, after = slots[slot].before, slots[slot].after
    if before == NONE:
        ends[h].first = after
    else:
        slots[before].after = after
    if after == NONE:
        ends[h].last = before
    else:
        slots[after].before = before


@njit(cache=True)
def _share(used: float, total: float) -> float:
    """The share of a host's CPU that is used; up to one per cent too much is rounding."""
    share = used / total
    return 1.0 if 1 < share < 1.01 else share


@njit(cache=True, inline="always")
def _is_on(hosts: Any, ends: Any, rules: Any, h: int) -> bool:
    """Whether a host has anything to do, now that it has been measured."""
    return hosts[h].used > 0 if rules.idle_instances_end else ends[h].first != NONE


@njit(cache=True)
def _measure(instances: Any, hosts: Any, slots: Any, ends: Any, rules: Any, now: float) -> None:
    """What instances get of their hosts, and how much of these that uses."""
    n = len(instances)
    for h in range(len(hosts)):
        free, speed = hosts[h].total, hosts[h].speed
        needed = 0.0
        enough = True
        slot = ends[h].first
        while slot != NONE:
            v = slot % n
            needs = min(instances[v].demand, instances[v].cores * speed)
            if slot >= n:
                needs *= ON_ITS_WAY
            needed += needs
            if free >= needs:
                free -= needs
            else:
                enough = False
            slot = slots[slot].after
        scale = 1.0 if enough else hosts[h].total / needed
        used = asked = 0.0
        slot = ends[h].first
        while slot != NONE:
            v = slot % n
            gets = min(instances[v].demand, instances[v].cores * speed)
            leaving = slot < n and instances[v].moving
            if slot >= n:
                gets = gets * ON_ITS_WAY * scale
            elif leaving:
                gets = gets * scale * (1 - ON_ITS_WAY)
            else:
                gets *= scale
            if rules.whole_mhz and not enough:
                gets = np.floor(gets)
            if slot < n:
                instances[v].given = gets
                instances[v].measured = now
                if leaving:
                    gets /= 1 - ON_ITS_WAY
            used += gets
            asked += instances[v].demand
            slot = slots[slot].after
        hosts[h].used = used
        if rules.arrivals_in_full:
            hosts[h].short_now = used < asked
        else:
            hosts[h].short_now = needed > hosts[h].total * (1 + CLOSE)


@njit(cache=True)
def _end_idle(instances: Any, slots: Any, ends: Any) -> None:
    """Instances that ask for nothing and are not moving end."""
    for v in range(len(instances)):
        if instances[v].demand == 0 and not instances[v].moving and not instances[v].ended:
            instances[v].ended = True
            _unlink(slots, ends, instances[v].host, v)


def advance(
    instances: Any, hosts: Any, slots: Any, ends: Any, curves: Any, counts: Any, rules: Any, watts: Any, now: float
) -> None:  # fmt: skip
    """Time passes until `now` with every instance where it is; their demand is that of now. Energy by the trapezoid rule."""
    before = np.empty(len(hosts))
    for h in range(len(hosts)):
        before[h] = _share(hosts[h].used, hosts[h].total)
    _measure(instances, hosts, slots, ends, rules, now)
    energy = 0.0
    passed = now - counts[LAST]
    for h in range(len(hosts)):
        if hosts[h].on:
            begin = watts(curves[h], before[h])
            end = watts(curves[h], _share(hosts[h].used, hosts[h].total))
            energy += (begin + (end - begin) / 2) * passed
            counts[ON_S] += passed
    counts[ENERGY] += energy
    counts[LAST] = now
    if rules.idle_instances_end:
        _end_idle(instances, slots, ends)


def settle(
    instances: Any, hosts: Any, slots: Any, ends: Any, counts: Any, rules: Any, now: float
) -> None:
    """Whatever changes at `now` has changed: measure what is the case from now on, and count what was until now."""
    _measure(instances, hosts, slots, ends, rules, now)
    if rules.idle_instances_end:
        _end_idle(instances, slots, ends)
    again = counts[RECORDED_AT] != NONE
    passed = now - counts[RECORDED_AT]
    for h in range(len(hosts)):
        if again and hosts[h].on:
            hosts[h].on_s += passed
            if hosts[h].short:
                hosts[h].short_s += passed
        on = _is_on(hosts, ends, rules, h)
        was = hosts[h].on if again else rules.off_at_start
        if was and not on:
            counts[SHUTDOWNS] += 1
        hosts[h].on = on
        hosts[h].short = hosts[h].short_now
    for v in range(len(instances)):
        if instances[v].measured != now:
            continue
        if instances[v].recorded:
            asked, given = instances[v].last_demand, instances[v].last_given
            instances[v].asked_in_all += asked * passed
            instances[v].given_in_all += given * passed
            if instances[v].last_moving and given < asked:
                instances[v].lost_in_all += (asked - given) * passed
        instances[v].recorded = True
        instances[v].last_demand = instances[v].demand
        instances[v].last_given = instances[v].given
        instances[v].last_moving = instances[v].moving
    counts[RECORDED_AT] = now


@njit(cache=True)
def begin_moves(instances: Any, slots: Any, ends: Any, moves: Any) -> None:
    """The moves of a round begin."""
    for i in range(len(moves)):
        instances[moves[i].instance].moving = True
        _append(slots, ends, moves[i].target, moves[i].slot)


@njit(cache=True)
def finish_moves(instances: Any, slots: Any, ends: Any, moves: Any) -> None:
    """Those moves end: each instance is at home where it was going."""
    for i in range(len(moves)):
        v, h = moves[i].instance, moves[i].target
        _unlink(slots, ends, instances[v].host, v)
        _unlink(slots, ends, h, moves[i].slot)
        _append(slots, ends, h, v)
        instances[v].host = h
        instances[v].moving = False


@njit(cache=True)
def _put(instances: Any, hosts: Any, past: Any, plan: Any, history: Any, v: int, h: int) -> None:
    """Add an instance to a host's sums."""
    demand, total = instances[v].demand, hosts[h].total
    needs = min(demand, instances[v].cores * hosts[h].speed)
    plan[h].asked += demand
    plan[h].capped += needs
    plan[h].room = plan[h].room - needs if plan[h].room >= needs else 0.0
    plan[h].memory -= instances[v].memory
    plan[h].largest = max(plan[h].largest, instances[v].memory)
    for i in range(REMEMBERED):
        history[h, i] += past[v, i] / total


@njit(cache=True)
def _add_up(
    instances: Any, hosts: Any, slots: Any, ends: Any, past: Any, plan: Any, history: Any, h: int
) -> None:
    """The sums over a host's instances, in their order."""
    plan[h].asked = plan[h].capped = plan[h].largest = 0.0
    plan[h].room, plan[h].memory = hosts[h].total, hosts[h].memory
    slot = ends[h].first
    if slot != NONE:
        for i in range(REMEMBERED):
            history[h, i] = 0.0
    while slot != NONE:
        _put(instances, hosts, past, plan, history, slot % len(instances), h)
        slot = slots[slot].after


@njit(cache=True)
def _overloaded(
    hosts: Any, plan: Any, history: Any, h: int, known: int, interval: float, detect: Any, options: Any
) -> bool:
    horizon = np.ceil(plan[h].largest / hosts[h].rate / interval)
    return detect(history[h, REMEMBERED - known :], plan[h].asked / hosts[h].total, horizon, options)


@njit(cache=True)
def _cheapest(
    instances: Any, hosts: Any, curves: Any, rules: Any, past: Any, plan: Any, history: Any, open: Any, opened: int,
    empty: Any, v: int, known: int, interval: float, watts: Any, detect: Any, detect_options: Any, cost: Any,
    cost_options: Any,
) -> int:  # fmt: skip
    """The host among the candidates where an instance costs least, of equal ones the first; NONE if there is none.

    Candidates are hosts in use that are not barred, and the first empty host of each kind.
    """
    best, least = NONE, np.inf
    demand, cores, memory = instances[v].demand, instances[v].cores, instances[v].memory
    trial = np.empty(REMEMBERED)
    shares = np.empty((len(empty), REMEMBERED))
    for kind in range(len(empty)):
        shares[kind, 0] = np.nan
    for i in range(opened + len(empty)):
        h = open[i] if i < opened else empty[i - opened]
        if h == NONE or plan[h].barred or plan[h].room < demand or hosts[h].speed * cores < demand:
            continue
        if not rules.memory_free and plan[h].memory < memory:
            continue
        total = hosts[h].total
        used = (plan[h].capped + demand) / total
        before = plan[h].base if rules.round_unseen or i >= opened else plan[h].watts
        price = cost(before, watts(curves[h], used), used, cost_options)
        if price > least or (price == least and h > best):
            continue
        if plan[h].capped > 0:
            kind = hosts[h].kind
            if np.isnan(shares[kind, 0]):
                for k in range(REMEMBERED):
                    shares[kind, k] = past[v, k] / total
            for k in range(REMEMBERED):
                trial[k] = history[h, k] + shares[kind, k]
            horizon = np.ceil(max(plan[h].largest, memory) / hosts[h].rate / interval)
            asked = (plan[h].asked + demand) / total
            if detect(trial[REMEMBERED - known :], asked, horizon, detect_options):
                continue
        best, least = h, price
    return best


@njit(cache=True)
def _leavers(
    instances: Any, hosts: Any, slots: Any, ends: Any, past: Any, plan: Any, history: Any, h: int, known: int,
    interval: float, draws: Any, leaving: Any, count: int, detect: Any, detect_options: Any, choose: Any,
    choose_options: Any,
) -> int:  # fmt: skip
    """Take instances from an overloaded host until it is none; returns how many leave in all, with the `count` before."""
    n = len(instances)
    while True:
        size = 0
        slot = ends[h].first
        while slot != NONE:
            size += slot < n and not instances[slot].moving
            slot = slots[slot].after
        if size == 0:
            return count
        ready = np.empty(size, np.int64)
        facts = np.empty((3, size))
        asked = np.empty((size, known))
        i = 0
        slot = ends[h].first
        while slot != NONE:
            if slot < n and not instances[slot].moving:
                ready[i] = slot
                facts[0, i], facts[1, i] = instances[slot].demand, instances[slot].size
                facts[2, i] = instances[slot].memory
                asked[i] = past[slot, REMEMBERED - known :]
                i += 1
            slot = slots[slot].after
        v = ready[choose(facts[0], facts[1], facts[2], asked, draws[count], choose_options)]
        leaving[count] = v
        count += 1
        _unlink(slots, ends, h, v)
        _add_up(instances, hosts, slots, ends, past, plan, history, h)
        if not _overloaded(hosts, plan, history, h, known, interval, detect, detect_options):
            return count


@njit(cache=True)
def _by_demand(instances: Any, chosen: Any) -> None:
    """Sort instances by decreasing demand; those that ask for the same stay in order."""
    for i in range(1, len(chosen)):
        v = chosen[i]
        k = i
        while k > 0 and instances[chosen[k - 1]].demand < instances[v].demand:
            chosen[k] = chosen[k - 1]
            k -= 1
        chosen[k] = v


def decide(
    instances: Any, hosts: Any, slots: Any, ends: Any, curves: Any, past: Any, plan: Any, history: Any, open: Any,
    empty: Any, moves: Any, rules: Any, known: int, interval: float, draws: Any, watts: Any, detect: Any,
    detect_options: Any, choose: Any, choose_options: Any, cost: Any, cost_options: Any, underload: Any,
    underload_options: Any,
) -> int:  # fmt: skip
    """A round of decisions: relieve hosts that are overloaded, then empty others. `slots` and `ends` are copies, which are spent.

    Returns how many moves there are in `moves`.
    """
    n, size = len(instances), len(hosts)
    second = np.zeros(n, np.bool_)
    leaving = np.empty(n, np.int64)
    shares = np.empty(size)
    eligible = np.empty(size, np.bool_)
    empty[:] = NONE
    opened = leave = count = 0
    for h in range(size):
        _add_up(instances, hosts, slots, ends, past, plan, history, h)
        shares[h] = _share(hosts[h].used, hosts[h].total)
        on = _is_on(hosts, ends, rules, h)
        plan[h].on = on
        plan[h].base = watts(curves[h], shares[h]) if on or rules.waking_free else 0.0
        plan[h].barred = False
        if ends[h].first == NONE:
            if empty[hosts[h].kind] == NONE:
                empty[hosts[h].kind] = h
        elif _overloaded(hosts, plan, history, h, known, interval, detect, detect_options):
            plan[h].barred = True
        else:
            open[opened] = h
            opened += 1
            plan[h].watts = watts(curves[h], plan[h].capped / hosts[h].total)
        eligible[h] = on and not plan[h].barred
        slot = ends[h].first
        while slot != NONE:
            if slot >= n:
                eligible[h] = False
            slot = slots[slot].after
    for h in range(size):
        if plan[h].barred:
            leave = _leavers(
                instances, hosts, slots, ends, past, plan, history, h, known, interval, draws, leaving, leave,
                detect, detect_options, choose, choose_options,
            )  # fmt: skip
    wanted = 0
    relieving = True
    first = 0
    _by_demand(instances, leaving[:leave])
    while True:
        while wanted < leave:
            v = leaving[wanted]
            wanted += 1
            h = _cheapest(
                instances, hosts, curves, rules, past, plan, history, open, opened, empty, v, known, interval, watts,
                detect, detect_options, cost, cost_options,
            )  # fmt: skip
            if h == NONE:
                if relieving:
                    continue
                break
            if ends[h].first == NONE:
                open[opened] = h
                opened += 1
                kind = hosts[h].kind
                empty[kind] = NONE
                for k in range(h + 1, size):
                    if hosts[k].kind == kind and ends[k].first == NONE and not plan[k].barred:
                        empty[kind] = k
                        break
            slot = 2 * n + v if second[v] else n + v
            second[v] = True
            _append(slots, ends, h, slot)
            _put(instances, hosts, past, plan, history, v, h)
            plan[h].watts = watts(curves[h], plan[h].capped / hosts[h].total)
            moves[count].instance, moves[count].target, moves[count].slot = v, h, slot
            count += 1
        if relieving:
            relieving = False
            empty[:] = NONE
            for h in range(size):
                if not plan[h].on if rules.round_unseen else ends[h].first == NONE:
                    plan[h].barred = True
            if rules.moved_again:
                first = count
        elif count - first < leave:
            for i in range(first, count):
                v, h, slot = moves[i].instance, moves[i].target, moves[i].slot
                _unlink(slots, ends, h, slot)
                _add_up(instances, hosts, slots, ends, past, plan, history, h)
                plan[h].watts = watts(curves[h], plan[h].capped / hosts[h].total)
                second[v] = slot >= 2 * n
            count = first
        for i in range(first, count):
            eligible[moves[i].target] = False
        first = count
        h = underload(shares, eligible, underload_options)
        if h == NONE:
            return count
        eligible[h] = False
        plan[h].barred = True
        leave = wanted = 0
        slot = ends[h].first
        while slot != NONE:
            if not instances[slot % n].moving:
                leaving[leave] = slot % n
                leave += 1
            slot = slots[slot].after
        _by_demand(instances, leaving[:leave])


def place_all(
    instances: Any, hosts: Any, slots: Any, ends: Any, curves: Any, plan: Any, rules: Any, first_fit: bool,
    watts: Any, cost: Any, options: Any,
) -> int:  # fmt: skip
    """Place every instance by its whole size; returns the number of the first that fits nowhere, or NONE."""
    for h in range(len(hosts)):
        plan[h].room, plan[h].memory = hosts[h].total, hosts[h].memory
        plan[h].capped = 0.0
        plan[h].watts = watts(curves[h], 0.0) if rules.waking_free else 0.0
    for v in range(len(instances)):
        size, memory = instances[v].size, instances[v].memory
        best, least = NONE, np.inf
        for h in range(len(hosts)):
            if plan[h].room < size or plan[h].memory < memory or hosts[h].speed * instances[v].cores < size:
                continue
            if first_fit:
                best = h
                break
            used = (plan[h].capped + size) / hosts[h].total
            price = cost(plan[h].watts, watts(curves[h], used), used, options)
            if price < least:
                best, least = h, price
        if best == NONE:
            return v
        plan[best].room -= size
        plan[best].capped += size
        plan[best].memory -= memory
        if not rules.round_unseen:
            plan[best].watts = watts(curves[best], plan[best].capped / hosts[best].total)
        instances[v].host = best
        _append(slots, ends, best, v)
    return NONE

"""All that is compiled of a replay, by Numba, and cached on disk.

It is one file because Numba's cache looks for changes only in the file that a kernel is in: what was inlined from
elsewhere would stay as it was. The arrays are those of `state.Live`, `ordered.Fits` and `scored.Classes`; functions take
them one by one, and most are inlined by force: a tuple of arrays costs Numba a count of references at each look into
it, and a large copy at each call.

A kernel works through a block of requests and comes back when the block is over, when a sample is due, or when arrays have
to grow; it is then called again to go on.
"""

# What is an int here is Numba's to say, and not what a checker can know of NumPy's.
# mypy: disable-error-code="arg-type, assignment, return-value"

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np import arrayobj

DONE, SAMPLE, GROW = 0, 1, 2
"""Why a kernel came back."""

SLOT_BITS = 24
MOST_LIVE = 1 << SLOT_BITS
LATEST = 1 << (62 - SLOT_BITS)
"""A departure is one integer, its time (ms) above the number of the instance: fast to sort, at most so many live, so late."""

DAYS_BITS = 16
DAYS = 1 << DAYS_BITS
"""The calendar of departures has so many days, see `_open`."""
NONE = (1 << SLOT_BITS) - 1
"""The number of no instance."""

# What `count` holds.
(
    DUE_AT,
    DUE_END,
    DAY,
    DAY_BITS,
    NEXT_SWEEP,
    OPENED,
    FAR,
    FAR_COUNT,
    LAST_END,
    FREE,
    LEAST_FREE,
    PLACED,
    REJECTED_CPU,
    REJECTED_MEMORY,
    CPU,
    MEMORY,
    NOT_EMPTY,
    NOT_EMPTY_PEAK,
    BUSY_CPU,
    BUSY_MEMORY,
    BOUND_CPU,
    BOUND_MEMORY,
    CLOCK,
    SAMPLE_AT,
    MEASURE_FROM,
    CHECK,
    CURSOR,
    MEASURED_REQUESTS,
    MEASURED_REJECTED,
) = range(29)
COUNTERS = 29
"""NOT_EMPTY hosts have BUSY_CPU and BUSY_MEMORY in all; the BOUND_CPU largest ones could hold CPU, and so for memory.

Of the calendar: a day is 2^DAY_BITS ms long, and DAY the next one to be opened. What leaves on opened days is in `due`,
sorted, from DUE_AT to DUE_END; what leaves later than the calendar goes is a list from FAR on, of FAR_COUNT. OPENED have
been found since the last sweep.
"""

# What `integral` holds: for a level L that changes by d at time t, the sum of -d * t, so that its integral to T is
# L(T) * T + sum;
# and core-milliseconds that were asked for and refused. Times before MEASURE_FROM count as that.
(
    I_LIVE,
    I_CPU,
    I_MEMORY,
    I_NOT_EMPTY,
    I_BUSY_CPU,
    I_BUSY_MEMORY,
    I_BOUND,
    I_ASKED,
    I_REFUSED,
) = range(9)
INTEGRALS = 9

LOWEST, LAST, AFTER_LAST = range(3)
"""From where the first host that fits is searched: the lowest one, the one used last, or the one after it."""

# Columns of `hosts`, and of `classes`; and which word of a page is its summary.
ROOM_CPU, ROOM_MEMORY, INSTANCES = range(3)
LOWEST_HOST, STALE = range(2)
SUMMARY = 64

ONE = np.uint64(1)
ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
NOBODY = 1 << 30
PAGE_BITS = 12


@intrinsic
def _trailing_zeros(typingctx: Any, word: Any) -> Any:
    """The number of the lowest set bit of a uint64; the word must not be 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def _prefetch(typingctx: Any, table: Any, row: Any) -> Any:
    """Have a row of a table brought into the cache, without waiting for it."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array: Any = arrayobj.make_array(signature.args[0])  # type: ignore[no-untyped-call]
        start = (args[1], ir.Constant(ir.IntType(64), 0))
        where = cgutils.get_item_pointer(  # type: ignore[no-untyped-call]
            context, builder, signature.args[0], array(context, builder, args[0]), start
        )
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind_of_call = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        call = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind_of_call)
        to_read, keep, data = (ir.Constant(number, value) for value in (0, 3, 1))
        builder.call(call, [builder.bitcast(where, byte), to_read, keep, data])
        return context.get_dummy_value()

    return types.void(table, types.int64), generate


_lowest: Any = _trailing_zeros
_fetch: Any = _prefetch
"""Called without the context, which is Numba's to give."""


# the calendar of departures (a calendar queue, after Brown, CACM 1988): a list for each day, sorted when the day comes
#
# `instance[number]` is (time, host + flavour * 2^24 + next in the list * 2^40). A list leads all over a memory that is larger
# than the caches: at each departure `place` looks one step ahead on the next day's, so that it is near when that day is opened.


@njit(cache=True)
def _insert(due: Any, count: Any, entry: int) -> None:
    """Add to what is due on opened days."""
    if count[DUE_END] == len(due):
        left = count[DUE_END] - count[DUE_AT]
        due[:left] = due[count[DUE_AT] : count[DUE_END]].copy()
        count[DUE_AT], count[DUE_END] = 0, left
    i = count[DUE_END]
    while i > count[DUE_AT] and due[i - 1] > entry:
        due[i] = due[i - 1]
        i -= 1
    due[i] = entry
    count[DUE_END] += 1


@njit(cache=True, forceinline=True)
def _link(instance: Any, calendar: Any, due: Any, count: Any, number: int, time: int, where: int) -> None:
    """Put an instance where it belongs: to what is due, on its day's list, or on that of days that the calendar has not yet."""
    day = time >> count[DAY_BITS]
    instance[number, 0] = time
    if day < count[DAY]:
        instance[number, 1] = where
        _insert(due, count, (time << SLOT_BITS) | number)
    elif day < count[DAY] + DAYS:
        slot = day & (DAYS - 1)
        instance[number, 1] = where | np.int64(calendar[slot]) << 40
        calendar[slot] = number
    else:
        instance[number, 1] = where | count[FAR] << 40
        count[FAR] = number
        count[FAR_COUNT] += 1


@njit(cache=True)
def _relink(instance: Any, calendar: Any, due: Any, count: Any, number: int) -> None:
    """Put all of a list where they belong."""
    while number != NONE:
        record = instance[number, 1]
        _link(instance, calendar, due, count, number, instance[number, 0], record & ((1 << 40) - 1))
        number = (record >> 40) & NONE


@njit(cache=True)
def _sweep(instance: Any, calendar: Any, due: Any, count: Any) -> None:
    """Look at what is further away than the calendar goes, and make days longer or shorter where they fit badly."""
    live = len(instance) - count[FREE]
    longer = (2 * count[FAR_COUNT] > live or count[OPENED] < DAYS >> 6) and count[DAY_BITS] < 32
    shorter = count[OPENED] > 32 * DAYS and count[DAY_BITS] > 0
    far = count[FAR]
    count[FAR], count[FAR_COUNT], count[OPENED] = NONE, 0, 0
    if longer or shorter:
        lists = calendar.copy()
        calendar[:] = NONE
        now = count[DAY] << count[DAY_BITS]
        count[DAY_BITS] += -1 if shorter else 1
        # A longer day that has begun is an opened one: what leaves on the rest of it is due.
        count[DAY] = (now + (1 << count[DAY_BITS]) - 1) >> count[DAY_BITS]
        for first in lists:
            _relink(instance, calendar, due, count, np.int64(first))
    _relink(instance, calendar, due, count, far)
    count[NEXT_SWEEP] = count[DAY] + (DAYS >> 1)


@njit(cache=True)
def _open(instance: Any, calendar: Any, due: Any, count: Any) -> None:
    """Open the next day, when nothing is due any more: what leaves on it is due, the earliest first."""
    slot = count[DAY] & (DAYS - 1)
    number = np.int64(calendar[slot])
    count[DAY] += 1
    n = 0
    if number != NONE:
        calendar[slot] = NONE
        while number != NONE:
            entry = (instance[number, 0] << SLOT_BITS) | number
            i = n
            if n < 40:
                while i > 0 and due[i - 1] > entry:
                    due[i] = due[i - 1]
                    i -= 1
            due[i] = entry
            n += 1
            number = (instance[number, 1] >> 40) & NONE
        if n > 40:
            due[:n].sort()
        count[OPENED] += n
    count[DUE_AT], count[DUE_END] = 0, n
    if count[DAY] >= count[NEXT_SWEEP]:
        _sweep(instance, calendar, due, count)


# levels


@njit(cache=True, forceinline=True)
def _follow(sums: Any, dimension: int, bound: int, used: int) -> int:
    """How many of the largest hosts could hold what is used, given how many could before."""
    while sums[bound, dimension] < used:
        bound += 1
    while bound > 0 and sums[bound - 1, dimension] >= used:
        bound -= 1
    return bound


@njit(cache=True)
def _occupied(capacity: Any, count: Any, integral: Any, h: int, sign: int, t: int) -> None:
    """The host is not empty any more at t (or is, for a sign of -1)."""
    cpu, memory = sign * capacity[h, 0], sign * capacity[h, 1]
    count[NOT_EMPTY] += sign
    count[NOT_EMPTY_PEAK] = max(count[NOT_EMPTY], count[NOT_EMPTY_PEAK])
    count[BUSY_CPU] += cpu
    count[BUSY_MEMORY] += memory
    integral[I_NOT_EMPTY] -= float(sign) * t
    integral[I_BUSY_CPU] -= float(cpu) * t
    integral[I_BUSY_MEMORY] -= float(memory) * t


@njit(cache=True)
def _refuse(
    hosts: Any, count: Any, integral: Any, can: Any, cpu: int, cores: int, lifetime: int, measured: bool
) -> None:
    """Count a request that no host can hold, by the first thing that none had. `can[h]`: cores and speed would do."""
    enough_cpu = False
    for h in range(len(can)):
        if can[h] and hosts[h, ROOM_CPU] >= cpu:
            enough_cpu = True
            break
    count[REJECTED_MEMORY if enough_cpu else REJECTED_CPU] += 1
    if measured:
        count[MEASURED_REJECTED] += 1
        if lifetime > 0:
            integral[I_REFUSED] += float(cores) * lifetime


# first-fit and its like


@njit(cache=True, forceinline=True)
def _first(low: Any, mid: Any, high: Any, f: int) -> int:
    """The lowest host that can hold flavour f; -1 if there is none."""
    for u in range(high.shape[1]):
        word = high[f, u]
        if word:
            v = (u << 6) + _lowest(word)
            w = (v << 6) + _lowest(mid[f, v])
            return (w << 6) + _lowest(low[f, w])
    return -1


@njit(cache=True)
def _from(low: Any, mid: Any, high: Any, f: int, start: int) -> int:
    """The lowest host from `start` on that can hold flavour f, else the lowest of all; -1 if there is none."""
    w = start >> 6
    word = low[f, w] & (ALL << np.uint64(start & 63))
    if word:
        return (w << 6) + _lowest(word)
    w += 1
    v = w >> 6
    if v < mid.shape[1]:
        word = mid[f, v] & (ALL << np.uint64(w & 63))
        if word:
            w = (v << 6) + _lowest(word)
            return (w << 6) + _lowest(low[f, w])
    v += 1
    for u in range(v >> 6, high.shape[1]):
        word = high[f, u]
        if u == v >> 6:
            word &= ALL << np.uint64(v & 63)
        if word:
            v = (u << 6) + _lowest(word)
            w = (v << 6) + _lowest(mid[f, v])
            return (w << 6) + _lowest(low[f, w])
    return _first(low, mid, high, f)


@njit(cache=True, forceinline=True)
def _mark(low: Any, mid: Any, high: Any, f: int, h: int) -> None:
    w = h >> 6
    before = low[f, w]
    low[f, w] = before | ONE << np.uint64(h & 63)
    if before == 0:
        v = w >> 6
        mid[f, v] |= ONE << np.uint64(w & 63)
        high[f, v >> 6] |= ONE << np.uint64(v & 63)


@njit(cache=True, forceinline=True)
def _unmark(low: Any, mid: Any, high: Any, f: int, h: int) -> None:
    w = h >> 6
    left = low[f, w] & ~(ONE << np.uint64(h & 63))
    low[f, w] = left
    if left == 0:
        v = w >> 6
        mid[f, v] &= ~(ONE << np.uint64(w & 63))
        if mid[f, v] == 0:
            high[f, v >> 6] &= ~(ONE << np.uint64(v & 63))


@njit(cache=True, forceinline=True)
def _refit(
    low: Any,
    mid: Any,
    high: Any,
    by_cpu: Any,
    by_memory: Any,
    can: Any,
    h: int,
    cpu: int,
    memory: int,
    has_cpu: int,
    has_memory: int,
) -> None:
    """The host had this room, and now has that: mark and unmark it for the flavours that fit now, or do no more."""
    for w in range(can.shape[1]):
        after = by_cpu[has_cpu, w] & by_memory[has_memory, w]
        changed = ((by_cpu[cpu, w] & by_memory[memory, w]) ^ after) & can[h, w]
        while changed:
            bit = _lowest(changed)
            if after & (ONE << np.uint64(bit)):
                _mark(low, mid, high, (w << 6) + bit, h)
            else:
                _unmark(low, mid, high, (w << 6) + bit, h)
            changed &= changed - ONE


# scores of capacity


@njit(cache=True, forceinline=True)
def join(cell: Any, classes: Any, page: Any, words: Any, unused: Any, h: int, c: int) -> bool:
    """Host h comes into class c; returns whether the class is missing from some flavour's order, and must be put back."""
    p = h >> PAGE_BITS
    number = page[c, p]
    if number < 0:
        number = unused[unused[0]]
        unused[0] -= 1
        page[c, p] = number
    w = (h >> 6) & 63
    words[number, w] |= ONE << np.uint64(h & 63)
    words[number, SUMMARY] |= ONE << np.uint64(w)
    classes[c, LOWEST_HOST] = min(classes[c, LOWEST_HOST], h)
    cell[h, 0] = c
    missing = bool(classes[c, STALE])
    classes[c, STALE] = 0
    return missing


@njit(cache=True, forceinline=True)
def _leave(classes: Any, page: Any, words: Any, unused: Any, h: int, c: int) -> None:
    """Host h goes from class c. An empty class stays in the orders until a search comes across it."""
    p = h >> PAGE_BITS
    number = page[c, p]
    w = (h >> 6) & 63
    left = words[number, w] & ~(ONE << np.uint64(h & 63))
    words[number, w] = left
    if left == 0:
        words[number, SUMMARY] &= ~(ONE << np.uint64(w))
        if words[number, SUMMARY] == 0:
            page[c, p] = -1
            unused[0] += 1
            unused[unused[0]] = number
    if classes[c, LOWEST_HOST] == h:
        while p < page.shape[1] and page[c, p] < 0:
            p += 1
        if p == page.shape[1]:
            classes[c, LOWEST_HOST] = NOBODY
        else:
            number = page[c, p]
            w = _lowest(words[number, SUMMARY])
            classes[c, LOWEST_HOST] = (p << PAGE_BITS) + (w << 6) + _lowest(words[number, w])


@njit(cache=True, forceinline=True)
def _rank(place: Any, low: Any, high: Any, c: int) -> None:
    """The class may have hosts, in the order of every flavour."""
    for f in range(low.shape[0]):
        at = place[c, f]
        if at >= 0:
            low[f, at >> 6] |= ONE << np.uint64(at & 63)
            high[f, at >> 12] |= ONE << np.uint64((at >> 6) & 63)


@njit(cache=True, forceinline=True)
def _best(low: Any, high: Any, order: Any, classes: Any, f: int) -> int:
    """The lowest host of the classes with the highest score; -1 if none can hold flavour f."""
    found, score = NOBODY, -1
    for u in range(high.shape[1]):
        words = high[f, u]
        while words:
            w = (u << 6) + _lowest(words)
            words &= words - ONE
            word = low[f, w]
            while word:
                bit = word & (~word + ONE)
                word ^= bit
                at = (w << 6) + _lowest(bit)
                if found != NOBODY and order[f, at, 1] != score:
                    return found
                c = order[f, at, 0]
                h = np.int64(classes[c, LOWEST_HOST])
                if h != NOBODY:
                    found, score = min(found, h), np.int64(order[f, at, 1])
                else:
                    classes[c, STALE] = 1
                    low[f, w] ^= bit
                    if low[f, w] == 0:
                        high[f, u] ^= ONE << np.uint64(w & 63)
    return found if found != NOBODY else -1


# what depends on the kind of index


def find_host(index: Any, search: int, f: int, cursor: int) -> int:
    """The host for flavour f; -1 if none can hold it. Only for kernels."""
    raise NotImplementedError


def change_host(index: Any, h: int, had_cpu: int, had_memory: int, has_cpu: int, has_memory: int) -> None:
    """The host had that room, and now has this. Only for kernels."""
    raise NotImplementedError


@overload(find_host, jit_options={"forceinline": True})
def _find_host(index: Any, search: Any, f: Any, cursor: Any) -> Any:
    if "order" in index.fields:

        def by_class(index: Any, search: Any, f: Any, cursor: Any) -> int:
            return np.int64(_best(index.low, index.high, index.order, index.classes, f))

        return by_class

    def in_order(index: Any, search: Any, f: Any, cursor: Any) -> int:
        if search == LOWEST:
            return np.int64(_first(index.low, index.mid, index.high, f))
        return np.int64(_from(index.low, index.mid, index.high, f, cursor))

    return in_order


@overload(change_host, jit_options={"forceinline": True})
def _change_host(index: Any, h: Any, had_cpu: Any, had_memory: Any, has_cpu: Any, has_memory: Any) -> Any:
    if "order" in index.fields:

        def by_class(index: Any, h: Any, had_cpu: Any, had_memory: Any, has_cpu: Any, has_memory: Any) -> None:
            c = np.int64(index.cell[h, 0])
            _leave(index.classes, index.page, index.words, index.unused, h, c)
            c += (has_cpu - had_cpu) * index.cell[h, 1] + has_memory - had_memory
            if join(index.cell, index.classes, index.page, index.words, index.unused, h, c):
                _rank(index.place, index.low, index.high, c)

        return by_class

    def in_order(index: Any, h: Any, had_cpu: Any, had_memory: Any, has_cpu: Any, has_memory: Any) -> None:
        low, mid, high = index.low, index.mid, index.high
        _refit(low, mid, high, index.by_cpu, index.by_memory, index.can, h, had_cpu, had_memory, has_cpu, has_memory)

    return in_order


# a block


@njit(cache=True)
def place(
    state: Any,
    index: Any,
    can: Any,
    search: int,
    arrival: Any,
    lifetime: Any,
    flavour: Any,
    cores: Any,
    first: int,
    until: int,
    at: int,
    out: Any,
) -> tuple[int, int]:
    """Work through a block from its request `at` on; returns why it stopped, and where.

    `out` gets each request's host, -1 for none. An empty block lets time pass until the instant `until`. `index` is Fits or
    Classes, for each of which the kernel is compiled. Levels are held in variables while it runs, since the compiler
    cannot know that no array is another one.
    """
    capacity, hosts, need, instance, numbers, calendar, due, count, integral, sums = state
    free, least_free, last_end = count[FREE], count[LEAST_FREE], count[LAST_END]
    cpu, memory = count[CPU], count[MEMORY]
    bound_cpu, bound_memory = count[BOUND_CPU], count[BOUND_MEMORY]
    bound = max(bound_cpu, bound_memory)
    placed, check, cursor = count[PLACED], count[CHECK], count[CURSOR]
    measure_from, sample_at = count[MEASURE_FROM], count[SAMPLE_AT]
    live_ms, cpu_ms, memory_ms = integral[I_LIVE], integral[I_CPU], integral[I_MEMORY]
    why, i, now, latest, leaves = DONE, at, count[CLOCK], -1, False
    h, c, m, t = 0, np.int64(0), np.int64(0), np.int64(0)
    ahead = np.int64(NONE)
    while True:
        # What is next: an instance that leaves, or the request that arrives.
        leaves = False
        if latest >= 0:
            while count[DUE_AT] == count[DUE_END] and count[DAY] <= now >> count[DAY_BITS]:
                if free == len(numbers):
                    count[DAY] = (now >> count[DAY_BITS]) + 1  # nothing would be found on the days until then
                    count[NEXT_SWEEP] = count[DAY] + (DAYS >> 1)
                else:
                    count[FREE] = free
                    _open(instance, calendar, due, count)
                    ahead = np.int64(calendar[count[DAY] & (DAYS - 1)])
            leaves = count[DUE_AT] < count[DUE_END] and due[count[DUE_AT]] <= latest
        if leaves:
            if ahead != NONE:
                following = instance[ahead, 1]
                _fetch(hosts, following & (MOST_LIVE - 1))
                ahead = (following >> 40) & NONE
                if ahead != NONE:
                    _fetch(instance, ahead)
            entry = due[count[DUE_AT]]
            count[DUE_AT] += 1
            number = entry & (MOST_LIVE - 1)
            t = max(entry >> SLOT_BITS, measure_from)
            numbers[free] = number
            free += 1
            record = instance[number, 1]
            h, f = record & (MOST_LIVE - 1), (record >> 24) & 0xFFFF
            sign = -1
        else:
            if latest < 0:
                if i >= len(arrival):
                    if until <= now:
                        break
                    now = until
                elif arrival[i] >= sample_at:
                    why = SAMPLE
                    break
                elif free == 0:
                    why = GROW
                    break
                else:
                    now = arrival[i]
                latest = ((now + 1) << SLOT_BITS) - 1
                continue
            latest = -1
            if i >= len(arrival):
                break
            f = flavour[i]
            t = max(now, measure_from)
            if now >= measure_from:
                count[MEASURED_REQUESTS] += 1
                if lifetime[i] > 0:
                    integral[I_ASKED] += float(cores[f]) * lifetime[i]
            h = find_host(index, search, f, cursor)
            out[i] = h
            i += 1
            if h < 0:
                _refuse(hosts, count, integral, can[f], need[f, 0], cores[f], lifetime[i - 1], now >= measure_from)
                continue
            cursor = h if search == LAST else (h + 1) % len(hosts) if search == AFTER_LAST else 0
            free -= 1
            least_free = min(free, least_free)
            if lifetime[i - 1] >= 0:
                end = now + lifetime[i - 1]
                last_end = max(last_end, end)
                _link(instance, calendar, due, count, np.int64(numbers[free]), end, h | f << 24)
            placed += 1
            check += (h + 1) * (first + i)
            sign = 1
        # One instance more on host h, or one fewer.
        c, m = np.int64(need[f, 0]), np.int64(need[f, 1])
        cpu += sign * c
        memory += sign * m
        live_ms -= float(sign) * float(t)
        cpu_ms -= float(sign * c) * float(t)
        memory_ms -= float(sign * m) * float(t)
        bound_cpu = _follow(sums, 0, bound_cpu, cpu)
        bound_memory = _follow(sums, 1, bound_memory, memory)
        if max(bound_cpu, bound_memory) != bound:
            integral[I_BOUND] += float(bound - max(bound_cpu, bound_memory)) * float(t)
            bound = max(bound_cpu, bound_memory)
        had_cpu, had_memory = hosts[h, ROOM_CPU], hosts[h, ROOM_MEMORY]
        has_cpu, has_memory = had_cpu - sign * c, had_memory - sign * m
        hosts[h, ROOM_CPU], hosts[h, ROOM_MEMORY] = has_cpu, has_memory
        instances = hosts[h, INSTANCES] + sign
        hosts[h, INSTANCES] = instances
        if instances == (sign + 1) >> 1:
            _occupied(capacity, count, integral, h, sign, t)
        change_host(index, h, had_cpu, had_memory, has_cpu, has_memory)
    count[FREE], count[LEAST_FREE], count[LAST_END] = free, least_free, last_end
    count[CPU], count[MEMORY] = cpu, memory
    count[BOUND_CPU], count[BOUND_MEMORY] = bound_cpu, bound_memory
    count[PLACED], count[CHECK], count[CURSOR], count[CLOCK] = placed, check, cursor, now
    integral[I_LIVE], integral[I_CPU], integral[I_MEMORY] = live_ms, cpu_ms, memory_ms
    return why, i

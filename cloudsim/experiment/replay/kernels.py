"""All that is compiled of a replay, by Numba, and cached on disk.

It is one file because Numba's cache looks for changes only in the file that a kernel is in: what was inlined from
elsewhere would stay as it was. `state` is a `state.Live`, `tree` an `ordered.Fits`, `classes` a `scored.Classes`.

A kernel works through a block of requests and comes back when the block is over, when a sample is due, or when arrays have
to grow; it is then called again to go on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

DONE, SAMPLE, GROW = 0, 1, 2
"""Why a kernel came back."""

SLOT_BITS = 24
MOST_LIVE = 1 << SLOT_BITS
LATEST = 1 << (62 - SLOT_BITS)
"""A departure is one integer, its time (ms) above the number of the instance: fast to compare, at most so many live, so late."""

# What `count` holds; NOT_EMPTY hosts have BUSY_CPU and BUSY_MEMORY in all, and the BOUND_ largest ones could hold CPU and MEMORY.
(
    LIVE,
    HEAP,
    FREE,
    PLACED,
    REJECTED_CPU,
    REJECTED_MEMORY,
    NOT_EMPTY,
    CPU,
    MEMORY,
    BOUND_CPU,
    BOUND_MEMORY,
    CLOCK,
    SAMPLE_AT,
    MEASURE_FROM,
    CHECK,
    CURSOR,
    PEAK_NOT_EMPTY,
    PEAK_LIVE,
    MEASURED_REQUESTS,
    MEASURED_REJECTED,
    BUSY_CPU,
    BUSY_MEMORY,
) = range(22)
COUNTERS = 22

# What `integral` holds: levels times ms, and core-milliseconds asked for and refused.
(
    I_TIME,
    I_LIVE,
    I_NOT_EMPTY,
    I_CPU,
    I_MEMORY,
    I_BUSY_CPU,
    I_BUSY_MEMORY,
    I_BOUND,
    I_ASKED,
    I_REFUSED,
) = range(10)
INTEGRALS = 10

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


_lowest: Any = _trailing_zeros
"""Called with the word alone: the context is Numba's to give."""


@njit(cache=True, inline="always")
def _push(heap: Any, size: int, entry: int) -> None:
    """Add an entry to a heap of four children each, which holds `size` entries."""
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        above = heap[parent]
        if above <= entry:
            break
        heap[i] = above
        i = parent
    heap[i] = entry


@njit(cache=True, inline="always")
def _pop(heap: Any, size: int) -> int:
    """Take the smallest of `size` entries, at least one."""
    top = heap[0]
    size -= 1
    last = heap[size]
    i = 0
    while True:
        child = 4 * i + 1
        if child + 3 < size:
            a = heap[child]
            b = heap[child + 1]
            c = heap[child + 2]
            d = heap[child + 3]
            ab = child
            low = a
            if b < a:
                ab = child + 1
                low = b
            cd = child + 2
            low2 = c
            if d < c:
                cd = child + 3
                low2 = d
            if low2 < low:
                ab = cd
                low = low2
            if low >= last:
                break
            heap[i] = low
            i = ab
        else:
            if child >= size:
                break
            best = child
            for k in range(child + 1, min(child + 4, size)):
                if heap[k] < heap[best]:
                    best = k
            if heap[best] >= last:
                break
            heap[i] = heap[best]
            i = best
    heap[i] = last
    return top


@njit(cache=True, inline="always")
def _pass_time(count: Any, integral: Any, now: int) -> None:
    """Add up the levels from the last instant to `now`; nothing counts before MEASURE_FROM."""
    last = count[CLOCK]
    if now > last:
        if last < count[MEASURE_FROM]:
            last = min(now, count[MEASURE_FROM])
        span = float(now - last)
        integral[I_TIME] += span
        integral[I_LIVE] += span * count[LIVE]
        integral[I_NOT_EMPTY] += span * count[NOT_EMPTY]
        integral[I_CPU] += span * count[CPU]
        integral[I_MEMORY] += span * count[MEMORY]
        integral[I_BUSY_CPU] += span * count[BUSY_CPU]
        integral[I_BUSY_MEMORY] += span * count[BUSY_MEMORY]
        integral[I_BOUND] += span * max(count[BOUND_CPU], count[BOUND_MEMORY])
        count[CLOCK] = now


@njit(cache=True, inline="always")
def _take(state: Any, h: int, cpu: int, memory: int) -> None:
    """Reserve on host h, and keep the levels. The volume bound follows: how many hosts, the largest first, could hold it all."""
    count, sums = state.count, state.sums
    state.room[h, 0] -= cpu
    state.room[h, 1] -= memory
    if state.instances[h] == 0:
        count[NOT_EMPTY] += 1
        count[BUSY_CPU] += state.capacity[h, 0]
        count[BUSY_MEMORY] += state.capacity[h, 1]
        if count[NOT_EMPTY] > count[PEAK_NOT_EMPTY]:
            count[PEAK_NOT_EMPTY] = count[NOT_EMPTY]
    state.instances[h] += 1
    count[LIVE] += 1
    if count[LIVE] > count[PEAK_LIVE]:
        count[PEAK_LIVE] = count[LIVE]
    count[CPU] += cpu
    count[MEMORY] += memory
    while sums[count[BOUND_CPU], 0] < count[CPU]:
        count[BOUND_CPU] += 1
    while sums[count[BOUND_MEMORY], 1] < count[MEMORY]:
        count[BOUND_MEMORY] += 1


@njit(cache=True, inline="always")
def _give_back(state: Any, h: int, cpu: int, memory: int) -> None:
    """The opposite of `take`."""
    count, sums = state.count, state.sums
    state.room[h, 0] += cpu
    state.room[h, 1] += memory
    state.instances[h] -= 1
    if state.instances[h] == 0:
        count[NOT_EMPTY] -= 1
        count[BUSY_CPU] -= state.capacity[h, 0]
        count[BUSY_MEMORY] -= state.capacity[h, 1]
    count[LIVE] -= 1
    count[CPU] -= cpu
    count[MEMORY] -= memory
    while count[BOUND_CPU] > 0 and sums[count[BOUND_CPU] - 1, 0] >= count[CPU]:
        count[BOUND_CPU] -= 1
    while count[BOUND_MEMORY] > 0 and sums[count[BOUND_MEMORY] - 1, 1] >= count[MEMORY]:
        count[BOUND_MEMORY] -= 1


@njit(cache=True)
def _refuse(state: Any, can: Any, f: int, cores: int, lifetime: int, measured: bool) -> None:
    """Count a request that no host can hold, by the first thing that none had. `can[h]`: cores and speed would do."""
    count = state.count
    enough_cpu = False
    for h in range(len(can)):
        if can[h] and state.room[h, 0] >= state.need[f, 0]:
            enough_cpu = True
            break
    count[REJECTED_MEMORY if enough_cpu else REJECTED_CPU] += 1
    if measured:
        count[MEASURED_REJECTED] += 1
        if lifetime > 0:
            state.integral[I_REFUSED] += float(cores) * lifetime


@njit(cache=True, inline="always")
def _begin(state: Any, h: int, f: int, now: int, lifetime: int) -> None:
    """The instance is live: give it a number, and note when it leaves (never, for a lifetime below 0)."""
    count = state.count
    count[FREE] -= 1
    number = state.free[count[FREE]]
    state.host[number] = h
    state.flavour[number] = f
    if lifetime >= 0:
        _push(state.heap, count[HEAP], ((now + lifetime) << SLOT_BITS) | number)
        count[HEAP] += 1


@njit(cache=True, inline="always")
def _end(state: Any) -> int:
    """The number of the instance that leaves next; it is free again."""
    count = state.count
    number = _pop(state.heap, count[HEAP]) & (MOST_LIVE - 1)
    count[HEAP] -= 1
    state.free[count[FREE]] = number
    count[FREE] += 1
    return number


# first-fit and its like


@njit(cache=True, inline="always")
def _mark(tree: Any, f: int, h: int) -> None:
    w = h >> 6
    tree.low[f, w] |= ONE << np.uint64(h & 63)
    v = w >> 6
    tree.mid[f, v] |= ONE << np.uint64(w & 63)
    tree.high[f, v >> 6] |= ONE << np.uint64(v & 63)


@njit(cache=True, inline="always")
def _unmark(tree: Any, f: int, h: int) -> None:
    w = h >> 6
    tree.low[f, w] &= ~(ONE << np.uint64(h & 63))
    if tree.low[f, w] == 0:
        v = w >> 6
        tree.mid[f, v] &= ~(ONE << np.uint64(w & 63))
        if tree.mid[f, v] == 0:
            tree.high[f, v >> 6] &= ~(ONE << np.uint64(v & 63))


@njit(cache=True, inline="always")
def _first(tree: Any, f: int) -> int:
    """The lowest host that can hold flavour f; -1 if there is none."""
    for u in range(tree.high.shape[1]):
        word = tree.high[f, u]
        if word:
            v = (u << 6) + _lowest(word)
            w = (v << 6) + _lowest(tree.mid[f, v])
            return (w << 6) + _lowest(tree.low[f, w])
    return -1


@njit(cache=True)
def _from(tree: Any, f: int, start: int) -> int:
    """The lowest host from `start` on that can hold flavour f, else the lowest of all; -1 if there is none."""
    w = start >> 6
    if w < tree.low.shape[1]:
        word = tree.low[f, w] & (ALL << np.uint64(start & 63))
        if word:
            return (w << 6) + _lowest(word)
        w += 1
        v = w >> 6
        if v < tree.mid.shape[1]:
            word = tree.mid[f, v] & (ALL << np.uint64(w & 63))
            if word:
                w = (v << 6) + _lowest(word)
                return (w << 6) + _lowest(tree.low[f, w])
            v += 1
            u = v >> 6
            if u < tree.high.shape[1]:
                word = tree.high[f, u] & (ALL << np.uint64(v & 63))
                while True:
                    if word:
                        v = (u << 6) + _lowest(word)
                        w = (v << 6) + _lowest(tree.mid[f, v])
                        return (w << 6) + _lowest(tree.low[f, w])
                    u += 1
                    if u >= tree.high.shape[1]:
                        break
                    word = tree.high[f, u]
    return _first(tree, f)


@njit(cache=True, inline="always")
def _reserve(state: Any, tree: Any, h: int, f: int) -> None:
    cpu, memory = state.room[h, 0], state.room[h, 1]
    _take(state, h, state.need[f, 0], state.need[f, 1])
    less_cpu, less_memory = state.room[h, 0], state.room[h, 1]
    for w in range(tree.can.shape[1]):
        gone = (tree.by_cpu[cpu, w] & tree.by_memory[memory, w]) & ~(
            tree.by_cpu[less_cpu, w] & tree.by_memory[less_memory, w]
        )
        while gone:
            _unmark(tree, (w << 6) + _lowest(gone), h)  # a bit that was never set, for want of cores, stays so
            gone &= gone - ONE


@njit(cache=True, inline="always")
def _release(state: Any, tree: Any, h: int, f: int) -> None:
    cpu, memory = state.room[h, 0], state.room[h, 1]
    _give_back(state, h, state.need[f, 0], state.need[f, 1])
    more_cpu, more_memory = state.room[h, 0], state.room[h, 1]
    for w in range(tree.can.shape[1]):
        back = (tree.by_cpu[more_cpu, w] & tree.by_memory[more_memory, w] & tree.can[h, w]) & ~(
            tree.by_cpu[cpu, w] & tree.by_memory[memory, w]
        )
        while back:
            _mark(tree, (w << 6) + _lowest(back), h)
            back &= back - ONE


@njit(cache=True)
def release_in_order(state: Any, tree: Any, now: int) -> None:
    """Everything leaves that is to leave at `now` or before."""
    count, heap = state.count, state.heap
    latest = ((now + 1) << SLOT_BITS) - 1
    while count[HEAP] > 0 and heap[0] <= latest:
        _pass_time(count, state.integral, heap[0] >> SLOT_BITS)
        number = _end(state)
        _release(state, tree, state.host[number], state.flavour[number])


@njit(cache=True)
def place_in_order(
    state: Any,
    tree: Any,
    can: Any,
    step: int,
    arrival: Any,
    lifetime: Any,
    flavour: Any,
    cores: Any,
    first: int,
    at: int,
    out: Any,
) -> tuple[int, int]:
    """Work through a block from its request `at` on; returns why it stopped, and where.

    `step` is where a search begins: 0 at the lowest host, 1 at the one used last, 2 after that. `out` gets each
    request's host, -1 for none.
    """
    count = state.count
    hosts = len(state.room)
    for i in range(at, len(arrival)):
        now = arrival[i]
        if now >= count[SAMPLE_AT]:
            return SAMPLE, i
        if count[FREE] == 0:
            return GROW, i
        release_in_order(state, tree, now)
        _pass_time(count, state.integral, now)
        f = flavour[i]
        measured = now >= count[MEASURE_FROM]
        if measured:
            count[MEASURED_REQUESTS] += 1
            if lifetime[i] > 0:
                state.integral[I_ASKED] += float(cores[f]) * lifetime[i]
        h = _first(tree, f) if step == 0 else _from(tree, f, count[CURSOR])
        out[i] = h
        if h < 0:
            _refuse(state, can[f], f, cores[f], lifetime[i], measured)
            continue
        if step:
            count[CURSOR] = h if step == 1 else (h + 1) % hosts
        _reserve(state, tree, h, f)
        _begin(state, h, f, now, lifetime[i])
        count[PLACED] += 1
        count[CHECK] += (h + 1) * (first + i + 1)
    return DONE, len(arrival)


# scores of capacity


@njit(cache=True, inline="always")
def _rank(state: Any, c: int, present: bool) -> None:
    """The class is (not) occupied, in the order of every flavour."""
    for f in range(state.low.shape[0]):
        place = state.place[c, f]
        if place >= 0:
            w = place >> 6
            if present:
                state.low[f, w] |= ONE << np.uint64(place & 63)
                state.high[f, w >> 6] |= ONE << np.uint64(w & 63)
            else:
                state.low[f, w] &= ~(ONE << np.uint64(place & 63))
                if state.low[f, w] == 0:
                    state.high[f, w >> 6] &= ~(ONE << np.uint64(w & 63))


@njit(cache=True)
def join(state: Any, h: int, c: int) -> None:
    p = h >> PAGE_BITS
    number = state.page[c, p]
    if number < 0:
        state.unused_count[0] -= 1
        number = state.unused[state.unused_count[0]]
        state.page[c, p] = number
    w = (h >> 6) & 63
    state.words[number, w] |= ONE << np.uint64(h & 63)
    state.summary[number] |= ONE << np.uint64(w)
    state.lowest[c] = min(state.lowest[c], h)
    state.members[c] += 1
    state.cell[h] = c
    if state.members[c] == 1:
        _rank(state, c, True)


@njit(cache=True)
def _leave(state: Any, h: int) -> None:
    c = state.cell[h]
    p = h >> PAGE_BITS
    number = state.page[c, p]
    w = (h >> 6) & 63
    state.words[number, w] &= ~(ONE << np.uint64(h & 63))
    if state.words[number, w] == 0:
        state.summary[number] &= ~(ONE << np.uint64(w))
        if state.summary[number] == 0:
            state.page[c, p] = -1
            state.unused[state.unused_count[0]] = number
            state.unused_count[0] += 1
    state.members[c] -= 1
    if state.members[c] == 0:
        state.lowest[c] = NOBODY
        _rank(state, c, False)
    elif state.lowest[c] == h:
        while state.page[c, p] < 0:
            p += 1
        number = state.page[c, p]
        w = _lowest(state.summary[number])
        state.lowest[c] = (p << PAGE_BITS) + (w << 6) + _lowest(state.words[number, w])


@njit(cache=True, inline="always")
def _move(state: Any, h: int, cpu: int, memory: int) -> None:
    """The host has that much more room (or less, below 0)."""
    c = state.cell[h] + cpu * state.columns[h] + memory
    _leave(state, h)
    join(state, h, c)


@njit(cache=True)
def _best_class(state: Any, f: int) -> int:
    """The lowest host of the classes with the highest score; -1 if none can hold flavour f."""
    place = -1
    w = 0
    for u in range(state.high.shape[1]):
        word = state.high[f, u]
        if word:
            w = (u << 6) + _lowest(word)
            place = (w << 6) + _lowest(state.low[f, w])
            break
    if place < 0:
        return -1
    tie = state.tie[f, place]
    h = state.lowest[state.at[f, place]]
    word = state.low[f, w] & (state.low[f, w] - ONE)
    while True:
        while word:
            place = (w << 6) + _lowest(word)
            word &= word - ONE
            if state.tie[f, place] != tie:
                return h
            h = min(h, state.lowest[state.at[f, place]])
        w += 1
        if w >= state.low.shape[1]:
            return h
        word = state.low[f, w]


@njit(cache=True)
def release_by_class(state: Any, classes: Any, now: int) -> None:
    """Everything leaves that is to leave at `now` or before."""
    count, heap = state.count, state.heap
    latest = ((now + 1) << SLOT_BITS) - 1
    while count[HEAP] > 0 and heap[0] <= latest:
        _pass_time(count, state.integral, heap[0] >> SLOT_BITS)
        number = _end(state)
        h, f = state.host[number], state.flavour[number]
        cpu, memory = state.need[f, 0], state.need[f, 1]
        _give_back(state, h, cpu, memory)
        _move(classes, h, cpu, memory)


@njit(cache=True)
def place_by_class(
    state: Any,
    classes: Any,
    can: Any,
    arrival: Any,
    lifetime: Any,
    flavour: Any,
    cores: Any,
    first: int,
    at: int,
    out: Any,
) -> tuple[int, int]:
    """Work through a block from its request `at` on; returns why it stopped, and where.

    `out` gets each request's host, -1 for none.
    """
    count = state.count
    for i in range(at, len(arrival)):
        now = arrival[i]
        if now >= count[SAMPLE_AT]:
            return SAMPLE, i
        if count[FREE] == 0:
            return GROW, i
        release_by_class(state, classes, now)
        _pass_time(count, state.integral, now)
        f = flavour[i]
        measured = now >= count[MEASURE_FROM]
        if measured:
            count[MEASURED_REQUESTS] += 1
            if lifetime[i] > 0:
                state.integral[I_ASKED] += float(cores[f]) * lifetime[i]
        h = _best_class(classes, f)
        out[i] = h
        if h < 0:
            _refuse(state, can[f], f, cores[f], lifetime[i], measured)
            continue
        cpu, memory = state.need[f, 0], state.need[f, 1]
        _take(state, h, cpu, memory)
        _move(classes, h, -cpu, -memory)
        _begin(state, h, f, now, lifetime[i])
        count[PLACED] += 1
        count[CHECK] += (h + 1) * (first + i + 1)
    return DONE, len(arrival)

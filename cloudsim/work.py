"""Work: what a guest is given to compute, and who hears of it.

It is told the guest as a user would tell it, in user data, by one line of a script:

    # cloudsim work: 3600000 90000

Each number is a task, by the milliseconds of CPU time that it needs on every vCPU of the instance, so that
alone and at full speed it takes that long. All tasks begin when the guest has booted and share its vCPUs
equally. A simulated guest reads that line and nothing else of the user data; `script` writes a script that has
a real guest spend the same CPU time.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

LONGEST_MS = 10**15
"""The longest that a task may be: some thirty thousand years."""
_LINE = re.compile(rb"^# cloudsim work:((?: +[1-9][0-9]{0,15})+) *\r?$", re.MULTILINE)

_BEFORE = "#!/bin/sh\n# cloudsim work: "
_BETWEEN = """
# Each number is a task: the milliseconds of CPU time that it needs on every vCPU. All tasks run at once,
# a process on each vCPU for each of them, which the kernel ends when it has had its time (whole seconds).
for length in """
_AFTER = """; do
    for cpu in $(seq "$(nproc)"); do
        (ulimit -t $(((length + 999) / 1000)); while :; do :; done) &
    done
done
wait
"""


@runtime_checkable
class TellsOfWork(Protocol):
    """A world that can say when the work of its guests is done."""

    def hear_work(self, listener: WorkListener) -> None:
        """From now on the listener hears of all work; an earlier one does not any more."""


class WorkListener(Protocol):
    """Hears of work as it happens. It may not raise. Times are seconds of the world's event loop."""

    def work_began(self, vm_id: str, tasks: Sequence[int], time: float) -> None:
        """The guest has booted and begins these of its tasks (numbers, from 0), again if it did before."""

    def task_finished(self, vm_id: str, task: int, time: float) -> None:
        """The guest has done that task."""


def script(lengths: Sequence[int]) -> str:
    """A shell script that is work of these lengths, in milliseconds. Raises ValueError for one that cannot be."""
    for length in lengths:
        if not 1 <= length <= LONGEST_MS:
            raise ValueError(f"the length of a task: expected from 1 to {LONGEST_MS} ms, got {length}")
    numbers = " ".join(map(str, lengths))
    return f"{_BEFORE}{numbers}{_BETWEEN}{numbers}{_AFTER}"


def user_data(lengths: Sequence[int]) -> str:
    """The same as user data: base64."""
    return base64.b64encode(script(lengths).encode()).decode()


def lengths_in(user_data: str | None) -> tuple[int, ...]:
    """The lengths that base64 user data tells, in milliseconds; none where it has no such line."""
    if not user_data:
        return ()
    try:
        found = _LINE.search(base64.b64decode(user_data))
    except (binascii.Error, ValueError):  # no guest could make anything of it
        return ()
    return () if found is None else tuple(map(int, found[1].split()))

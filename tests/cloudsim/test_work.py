"""Work as user data: what is written can be read, and a real shell spends the time that it says."""

import base64
import resource
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.work import LONGEST_MS, lengths_in, script, user_data

lengths = st.lists(st.integers(1, LONGEST_MS), min_size=1, max_size=6).map(tuple)


@given(lengths)
def test_what_is_written_can_be_read(given: tuple[int, ...]) -> None:
    assert lengths_in(user_data(given)) == given


@given(st.binary())
def test_user_data_that_says_nothing_of_work_gives_none(content: bytes) -> None:
    assert lengths_in(base64.b64encode(content).decode()) == ()
    assert lengths_in(content.hex()) == ()


def test_the_line_may_stand_in_any_script() -> None:
    own = b"#!/bin/sh\r\napt-get update\r\n# cloudsim work: 1500   20\r\nexec ./study\r\n"
    assert lengths_in(base64.b64encode(own).decode()) == (1500, 20)


@pytest.mark.parametrize(
    "line",
    [
        "# cloudsim work:",
        "# cloudsim work: 0",
        "# cloudsim work: -5",
        "# cloudsim work: 1.5",
        "# cloudsim work: 10 s",
    ],
)
def test_a_line_that_is_not_right_is_no_work(line: str) -> None:
    assert lengths_in(base64.b64encode(line.encode()).decode()) == ()


@pytest.mark.parametrize("wrong", [0, -1, LONGEST_MS + 1])
def test_a_length_that_no_guest_could_read_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match=f"expected from 1 to {LONGEST_MS} ms, got {wrong}"):
        script((5, wrong))


def test_a_real_shell_spends_the_cpu_time_that_it_says(tmp_path: Path) -> None:
    (tmp_path / "nproc").write_text("#!/bin/sh\necho 2\n")
    (tmp_path / "nproc").chmod(0o755)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        ["/bin/sh", "-c", script((900,))],
        check=True,
        timeout=60,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent == pytest.approx(2, abs=0.3), "a second, rounded up, on each of two vCPUs"

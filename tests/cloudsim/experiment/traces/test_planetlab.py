"""PlanetLab: utilisation as a matrix, VMs as requests."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.planetlab import InstanceType, PlanetLabTrace, utilisation
from tests.cloudsim.experiment.traces.reading import assert_columns_are_the_rows


def day(folder: Path, **vms: int) -> Path:
    """A folder with a file for each VM, that repeats its value."""
    folder.mkdir()
    for name, value in vms.items():
        (folder / name).write_text(f"{value}\n" * 288)
    return folder


class TestUtilisation:
    def test_a_folder_and_an_archive_of_it_say_the_same(self, tmp_path: Path) -> None:
        folder = day(tmp_path / "20110303", b=7, a=100)
        with tarfile.open(tmp_path / "20110303.tar.gz", "w:gz") as archive:
            archive.add(folder, "20110303")
        for path in (folder, tmp_path / "20110303.tar.gz"):
            names, values = utilisation(path)
            assert names == ("a", "b")
            assert values.dtype == np.uint8 and values.shape == (2, 288)
            assert values[:, 0].tolist() == values[:, 287].tolist() == [100, 7]

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("1\n" * 287, r"d/x: expected 288 values, one a line, got 287"),
            ("1\n" * 287 + "101\n", r"d/x:288: utilisation: expected a whole number from 0 to 100, got '101'"),
            ("-1\n" + "1\n" * 287, r"d/x:1: utilisation: .* got '-1'"),
        ],
    )
    def test_malformed_files(self, tmp_path: Path, text: str, error: str) -> None:
        (day(tmp_path / "d") / "x").write_text(text)
        with pytest.raises(TraceError, match=error):
            utilisation(tmp_path / "d")

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(TraceError, match="expected at least one file of 288 values"):
            utilisation(day(tmp_path / "d"))
        (tmp_path / "day.tar.gz").write_text("no archive")
        with pytest.raises(TraceError, match=r"day.tar.gz: expected a folder or a tar archive"):
            utilisation(tmp_path / "day.tar.gz")
        with pytest.raises(TraceError, match="No such file"):
            utilisation(tmp_path / "nothing.tar.gz")


class TestRequests:
    def test_types_are_shared_out_in_order_and_all_run_for_the_day(self, tmp_path: Path) -> None:
        day(tmp_path / "d", a=1, b=2, c=3, d=4, e=5)
        found = assert_columns_are_the_rows(PlanetLabTrace(path="d"), tmp_path)
        assert found[0] == VmRequest("a", 0, 86_400_000, 1, 2500, 870)
        assert [r.cpu_mhz for r in found] == [2500, 2500, 2000, 2000, 1000]
        few = PlanetLabTrace(path="d", types=(InstanceType(vcpu=2, cpu_mhz=3, memory_mib=32),))
        assert {r.cpus for r in assert_columns_are_the_rows(few, tmp_path)} == {2}

"""A trace is opened by its path: the format is told from the file, options come as text."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import tarfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.traces import FORMATS
from cloudsim.experiment.traces.generated import PoissonTrace
from cloudsim.experiment.traces.known import KNOWN
from cloudsim.experiment.traces.opening import guess, open_trace
from cloudsim.experiment.traces.planetlab import PlanetLabTrace
from cloudsim.experiment.traces.surf import SurfTrace
from cloudsim.experiment.traces.swf import SwfTrace
from cloudsim.experiment.traces.table import TableTrace
from tests.cloudsim.experiment.traces.reading import read

TABLE = "# made up\nid,arrival_ms,lifetime_ms,vcpu,memory_mib\na,0,,1,64\n"
SAMPLES = {
    "table": {"t.csv": TABLE, "t.csv.gz": TABLE},
    "openb": {"p.csv": "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,creation_time,deletion_time\n"},
    "huawei-east-1": {"h.csv": "vmid,cpu,memory,time,type\n1,1,1,1,0\n"},
    "azure-vmtable": {"vmtable.csv": "v,s,d,0,9,1,1,1,x,2,4\n", "vmtable-2.csv.gz": "v,s,d,0,9,1,1,1,x,>24,4\n"},
    "alibaba-2018-containers": {"container_meta.csv": "c_1,m_2556,0,app_5052,started,400,400,1.56\n"},
    "alibaba-2018-tasks": {"batch_task.csv": "M1,1,j_1,1,Terminated,1,2,50.0,0.2\n"},
    "google-2019": {
        "e.json": '{"time":"0","type":"0","collection_id":"1","instance_index":"0"}\n',
        "e.csv.gz": "time,type,collection_id,instance_index,cpus,memory\n",
    },
    "swf": {"l.swf": "; a comment\n" * 90 + "1 0 5 60 4 -1 2048 8 100 -1 1 3 1 1 1 1 -1 -1\n" * 2},
}


def write(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        with gzip.open(path, "wt") as file:
            file.write(text)
    else:
        path.write_text(text)
    return path


class TestGuessing:
    @pytest.mark.parametrize(
        ("format", "name", "text"),
        [(format, name, text) for format, files in SAMPLES.items() for name, text in files.items()],
    )
    def test_texts(self, tmp_path: Path, format: str, name: str, text: str) -> None:
        assert guess(write(tmp_path / name, text)) == format

    def test_parquet_files_by_their_columns(self, tmp_path: Path) -> None:
        for format, columns in (
            ("surf", ("submission_time", "duration", "cpu_count", "cpu_capacity", "mem_capacity")),
            ("bitbrains", ("start_time", "stop_time", "cpu_count", "cpu_capacity", "mem_capacity")),
            ("table", ("arrival_ms", "lifetime_ms", "vcpu")),
        ):
            pq.write_table(pa.table({name: [1] for name in ("id", *columns)}), tmp_path / "f.parquet")
            assert guess(tmp_path / "f.parquet") == format

    def test_sheets_databases_folders_and_archives(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        assert book.active is not None
        book.active.append(("flavor_vcpus", "flavor_ram", "numa", "strategy", "group", "domain"))
        book.save(tmp_path / "c.xlsx")
        assert guess(tmp_path / "c.xlsx") == "huawei-topology"
        database = sqlite3.connect(tmp_path / "p.db")
        database.execute("CREATE TABLE vmType (id)")
        database.close()
        assert guess(tmp_path / "p.db") == "azure-packing"
        (tmp_path / "day").mkdir()
        (tmp_path / "day" / "vm").write_text("7\n" * 288)
        assert guess(tmp_path / "day") == "planetlab"
        with tarfile.open(tmp_path / "day.tar.gz", "w:gz") as archive:
            archive.add(tmp_path / "day", "day")
        assert guess(tmp_path / "day.tar.gz") == "planetlab"
        (tmp_path / "2013-8").mkdir()
        (tmp_path / "2013-8" / "1.csv").write_text("Timestamp [ms];\tCPU cores;\n")
        assert guess(tmp_path / "2013-8") == "bitbrains-csv"

    def test_nothing_that_is_known(self, tmp_path: Path) -> None:
        write(tmp_path / "x.csv", "a,b\n1,2\n")
        with pytest.raises(TraceError, match=r"x.csv: expected a format to be named: it is like none of .*surf"):
            guess(tmp_path / "x.csv")
        (tmp_path / "empty").write_bytes(b"")
        (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
        (tmp_path / "broken.gz").write_bytes(b"\x1f\x8b and no more")
        for name in ("empty", "broken.parquet", "broken.gz", "."):
            with pytest.raises(TraceError, match="expected a format to be named"):
                guess(tmp_path / name)


class TestDataFiles:
    def test_options_are_text(self, tmp_path: Path) -> None:
        path = write(tmp_path / "t.csv", TABLE)
        trace = open_trace(path, None, {"limit": "5", "interarrival": "0.5", "lifetimes": "endless"})
        assert trace == TableTrace(path=str(path), limit=5, interarrival=0.5, lifetimes="endless")
        assert [r.id for r in read(trace, Path())] == ["a"]

    def test_lists_and_mappings_are_yaml(self, tmp_path: Path) -> None:
        (tmp_path / "day").mkdir()
        (tmp_path / "day" / "vm").write_text("7\n" * 288)
        trace = open_trace(tmp_path / "day", None, {"types": "[{cpu_mhz: 5, memory_mib: 6}]"})
        assert isinstance(trace, PlanetLabTrace)
        assert trace.types[0].cpu_mhz == 5

    def test_a_format_that_is_asked_for_is_not_told_from_the_file(self, tmp_path: Path) -> None:
        assert open_trace(write(tmp_path / "x", "what"), "swf") == SwfTrace(path=str(tmp_path / "x"))

    @pytest.mark.parametrize(
        ("format", "options", "text"),
        [
            (None, {"limit": "many"}, r"t.csv: option limit: expected `int | null`, got `str`"),
            (None, {"limit": "0"}, r"t.csv: option limit: expected `int` >= 1"),
            (None, {"lifetime": "7"}, r"t.csv: option lifetime: expected an option of table: start, limit"),
            (None, {"limit": "[1"}, r"t.csv: option limit: not YAML: \[1"),
            ("azure-packing", {"cores": "1"}, r"azure-packing: expected the option memory_mib, which is missing"),
            ("poisson", {}, r"t.csv: format: poisson reads no file; describe it in a .yaml file"),
            ("none", {}, r"t.csv: format: expected one of alibaba.*, got 'none'"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, tmp_path: Path, format: str | None, options: dict[str, str], text: str
    ) -> None:
        with pytest.raises(TraceError, match=text):
            open_trace(write(tmp_path / "t.csv", TABLE), format, options)

    def test_nothing_there(self) -> None:
        with pytest.raises(TraceError, match=r"nowhere.csv: there is no such file or folder"):
            open_trace(Path("nowhere.csv"))


class TestDescriptions:
    POISSON = "format: poisson\nrequests_in_all: 9\nper_hour: 60\nlifetime: {mean: 9}\nflavours: sizes.csv\n"

    def test_paths_are_relative_to_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "load.yaml").write_text(self.POISSON)
        (tmp_path / "sizes.csv").write_text("vcpu,mem_gib\n1,2\n")
        trace = open_trace(tmp_path / "load.yaml")
        assert isinstance(trace, PoissonTrace)
        assert trace.flavours == str(tmp_path / "sizes.csv")
        assert len(read(trace, Path())) == 9

    def test_options_go_before_what_it_says(self, tmp_path: Path) -> None:
        (tmp_path / "load.yml").write_text(self.POISSON)
        trace = open_trace(tmp_path / "load.yml", "poisson", {"requests_in_all": "3", "per_hour": "7.5"})
        assert isinstance(trace, PoissonTrace)
        assert (trace.requests_in_all, trace.per_hour) == (3, 7.5)

    def test_of_a_scenario_the_workload_is_taken(self) -> None:
        trace = open_trace(Path("examples/sample.yaml"), None, {"limit": "3"})
        assert trace == TableTrace(path="examples/traces/sample.csv", limit=3)
        assert isinstance(open_trace(Path("examples/surf.yaml")), SurfTrace)

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("- 1\n", r"load.yaml:1: expected a mapping with `format` and its options, or a scenario"),
            ("format: nope\n", r"load.yaml:1: format: invalid value 'nope'"),
            ("format: w1\nhosts: 0\n", r"load.yaml:2: hosts: expected `int` >= 1"),
            ("name: x\nworkload:\n  format: w1\n  hosts: x\n", r"load.yaml:4: workload.hosts: expected `int`"),
            ("format: [\n", r"load.yaml:2: not YAML"),
            ("format: table\npath: t.csv\n", r"load.yaml:1: format: expected w1, which was asked for"),
        ],
    )
    def test_what_is_wrong_has_a_line(self, tmp_path: Path, text: str, error: str) -> None:
        (tmp_path / "load.yaml").write_text(text)
        with pytest.raises(TraceError, match=error):
            open_trace(tmp_path / "load.yaml", "w1" if "t.csv" in text else None)

    def test_a_copy_of_a_scenario_elsewhere_reads_its_own_files(self, tmp_path: Path) -> None:
        (tmp_path / "traces").mkdir()
        shutil.copy("examples/sample.yaml", tmp_path / "s.yaml")
        shutil.copy("examples/traces/sample.csv", tmp_path / "traces" / "sample.csv")
        assert len(read(open_trace(tmp_path / "s.yaml"), Path())) == 480


def test_every_format_says_what_it_is_and_is_documented() -> None:
    documented = Path("docs/traces.md").read_text()
    for name, kind in FORMATS.items():
        assert kind.title and kind.units and kind.__doc__, name
        assert f"`{name}`" in documented, name
    for name in KNOWN:
        assert f"`{name}`" in documented, name


def test_the_shipped_description_of_a_load() -> None:
    requests = read(open_trace(Path("examples/traces/bursty.yaml"), None, {"limit": "600"}), Path())
    assert [r.arrival_ms for r in requests[:500]] == [0] * 500
    assert len({r.tenant for r in requests}) > 20

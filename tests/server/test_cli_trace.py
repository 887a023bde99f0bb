"""`cloudsim trace`: what it prints, where it exits with 1, and downloads from a server on this machine."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from cloudsim.experiment.traces import FORMATS
from cloudsim.experiment.traces.known import KNOWN, Download, KnownTrace
from server.cli import main
from server.trace_fetching import FetchError, fetch

SAMPLE = "examples/traces/sample.csv"


def trace(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, ["trace", *map(str, arguments)])


class TestCheck:
    def test_a_trace_that_is_right(self) -> None:
        result = trace("check", SAMPLE)
        assert (result.exit_code, result.output) == (0, f"{SAMPLE}: table: 480 requests, no errors\n")

    def test_errors_have_their_place_and_the_exit_code_is_1(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("id,arrival_ms,lifetime_ms,vcpu,memory_mib\na,0,0,1,64\nb,0,1,x,64\nc,0,1,1,64\n")
        result = trace("check", path)
        assert result.exit_code == 1
        assert result.stderr.splitlines() == [
            f"{path}:2: lifetime_ms: expected at least 1, got '0'",
            f"{path}:3: vcpu: expected a whole number, got 'x'",
            f"{path}: table: 2 errors",
        ]
        assert trace("check", path, "--errors", 1).stderr.splitlines()[-1] == f"{path}: table: at least 1 errors"

    def test_a_file_of_no_known_format(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("a,b\n")
        result = trace("check", tmp_path / "t.csv")
        assert result.exit_code == 1
        assert "expected a format to be named" in result.output


class TestInfo:
    def test_json(self) -> None:
        result = trace("info", SAMPLE, "--json", "-o", "limit=100", "-o", "lifetime_error=0.5")
        found = json.loads(result.output)
        assert (found["requests"], found["predicted"], found["format"]) == (100, 100, "table")
        assert found["most_wanted"][0]["cpus"] == 1

    def test_a_table_says_units_and_source(self) -> None:
        result = trace("info", "examples/traces/huawei-topology/VM_data_C1.xlsx")
        assert result.exit_code == 0
        for text in ("4,998", "huawei-topology", "in anti-affinity", "2 NUMA nodes", "no times; cores, GiB", "CC0"):
            assert text in result.output

    def test_a_malformed_file(self, tmp_path: Path) -> None:
        (tmp_path / "t.csv").write_text("id,arrival_ms,lifetime_ms,vcpu,memory_mib\na,0,0,1,64\n")
        result = trace("info", tmp_path / "t.csv")
        assert result.exit_code == 1
        assert "t.csv:2: lifetime_ms: expected at least 1" in result.output


class TestConvert:
    def test_a_trace_stays_what_it_is(self, tmp_path: Path) -> None:
        pods = "examples/traces/openb/openb_pod_list_default.csv"
        result = trace("convert", pods, tmp_path / "pods.parquet", "-o", "limit=500")
        assert result.output == f"{tmp_path / 'pods.parquet'}: 500 requests\n"
        comment = pq.read_schema(tmp_path / "pods.parquet").metadata[b"comment"].decode()
        assert comment == "Converted by cloudsim from openb_pod_list_default.csv (format openb, limit=500)."
        trace("convert", tmp_path / "pods.parquet", tmp_path / "pods.csv")
        one = json.loads(trace("info", pods, "--json", "-o", "limit=500").output)
        other = json.loads(trace("info", tmp_path / "pods.csv", "--json").output)
        assert one | {"format": ""} == other | {"format": ""}

    def test_generated_loads_have_the_seed_asked_for(self, tmp_path: Path) -> None:
        (tmp_path / "load.yaml").write_text(
            "format: poisson\nrequests_in_all: 5\nper_hour: 60\nlifetime: {mean: 9}\n"
            "flavours: [{vcpu: 1, memory_mib: 64}]\n"
        )
        for seed in (0, 0, 1):
            trace("convert", tmp_path / "load.yaml", tmp_path / f"{seed}.csv", "--seed", seed)
        one, other = ((tmp_path / f"{seed}.csv").read_text() for seed in (0, 1))
        assert one != other and one.splitlines()[:1] == other.splitlines()[:1]

    def test_another_kind_of_file(self, tmp_path: Path) -> None:
        result = trace("convert", SAMPLE, tmp_path / "t.xlsx")
        assert result.exit_code == 1
        assert "expected a .csv or .parquet file" in result.output


class TestFormats:
    def test_all_are_listed(self) -> None:
        lines = trace("formats").output.splitlines()
        assert {line.split()[0] for line in lines[: len(FORMATS)]} == set(FORMATS)

    @pytest.mark.parametrize("name", sorted(FORMATS))
    def test_each_says_its_options(self, name: str) -> None:
        result = trace("formats", name)
        assert result.exit_code == 0
        for field in FORMATS[name].__struct_fields__:
            assert field in result.output

    def test_one_that_is_not_there(self) -> None:
        assert "expected one of alibaba-2018-containers" in trace("formats", "none").output


def zipped(**files: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return data.getvalue()


def tarred(**files: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return data.getvalue()


FILES = {
    "/day.csv": b"1,2,3\n",
    "/a.zip": zipped(top__2013__1="one", top__2013__2="two", top__readme="no"),
    "/a.tar.gz": tarred(meta="m", other="o"),
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A web server with FILES."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = FILES.get(self.path)
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


def nothing(came: int, size: int | None) -> None:
    pass


class TestFetching:
    def test_a_file_is_there_whole_with_its_digest(self, address: str, tmp_path: Path) -> None:
        digest = hashlib.sha256(FILES["/day.csv"]).hexdigest()
        seen: list[tuple[int, int | None]] = []
        download = Download(urls=(f"{address}/day.csv",), name="d.csv", size=6, sha256=digest)
        written = fetch(download, tmp_path / "to", 100, lambda *progress: seen.append(progress))
        assert written == ([tmp_path / "to" / "d.csv"], digest)
        assert (tmp_path / "to" / "d.csv").read_bytes() == FILES["/day.csv"]
        assert seen == [(6, 6)]

    def test_the_next_address_is_tried(self, address: str, tmp_path: Path) -> None:
        urls = (f"{address}/gone.csv", f"{address}/day.csv")
        assert fetch(Download(urls=urls, name="d.csv"), tmp_path, 100, nothing)[0] == [tmp_path / "d.csv"]

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"sha256": "0" * 64}, r"day.csv: expected the SHA-256 000.*, got "),
            ({"size": 7}, r"day.csv: expected 7 bytes, got 6"),
            ({"urls": ("{}/gone.csv",)}, r"/gone.csv: 404 Not Found"),
            ({"urls": ("http://127.0.0.1:9/x",)}, r"http://127.0.0.1:9/x: .*refused"),
            ({"urls": ("{}/a.zip",), "unpack": "*.sqlite"}, r"expected \*.sqlite in the archive, found none"),
            ({"urls": ("{}/day.csv",), "unpack": "*"}, r"day.csv: "),
        ],
    )
    def test_what_is_not_as_expected_leaves_nothing(
        self, address: str, tmp_path: Path, changes: dict[str, object], text: str
    ) -> None:
        values = {"urls": ("{}/day.csv",), "name": "day.csv"} | changes
        urls = tuple(url.format(address) for url in values.pop("urls"))
        with pytest.raises(FetchError, match=text):
            fetch(Download(urls=urls, **values), tmp_path, 100_000, nothing)
        assert list(tmp_path.iterdir()) == []

    def test_too_large(self, address: str, tmp_path: Path) -> None:
        with pytest.raises(FetchError, match=r"has more than 5 bytes; --limit allows more"):
            fetch(Download(urls=(f"{address}/day.csv",), name="d"), tmp_path, 5, nothing)
        assert list(tmp_path.iterdir()) == []

    def test_archives_are_unpacked(self, address: str, tmp_path: Path) -> None:
        many = Download(urls=(f"{address}/a.zip",), name="a.zip", unpack="*/2013/*", keep=2)
        fetch(many, tmp_path, 10_000, nothing)
        fetch(Download(urls=(f"{address}/a.tar.gz",), name="a", unpack="meta"), tmp_path, 10_000, nothing)
        files = {str(f.relative_to(tmp_path)): f.read_text() for f in tmp_path.rglob("*") if f.is_file()}
        assert files == {"2013/1": "one", "2013/2": "two", "meta": "m"}


class TestFetch:
    def test_without_a_name_all_are_listed(self) -> None:
        lines = trace("fetch").output.splitlines()
        assert [line.split()[0] for line in lines] == sorted(KNOWN)
        assert [line.split()[0] for line in lines if line.endswith("(by hand)")] == ["google-2019", "surf-lisa"]

    @pytest.mark.parametrize("name", sorted(KNOWN))
    def test_a_dry_run_says_source_licence_and_citation(self, name: str) -> None:
        result = trace("fetch", name, "--dry-run")
        assert result.exit_code == 0
        for text in (KNOWN[name].page, KNOWN[name].licence, KNOWN[name].cite):
            assert text in result.output
        for format in KNOWN[name].format.replace(";", ",").split(","):
            assert format.split()[0] in FORMATS

    def test_what_has_to_be_done_by_hand(self) -> None:
        result = trace("fetch", "google-2019")
        assert result.exit_code == 1
        assert "gsutil" in result.output and "there is nothing to download" in result.output

    def test_downloads(self, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def known(path: str) -> KnownTrace:
            download = Download(urls=(f"{address}{path}",), name="d.csv")
            return KnownTrace(
                title="t", format="swf", page="p", licence="l", cite="c", downloads=(download,), manual="by hand"
            )

        monkeypatch.setitem(KNOWN, "here", known("/day.csv"))
        monkeypatch.setitem(KNOWN, "gone", known("/gone.csv"))
        result = trace("fetch", "here", "--to", tmp_path / "here")
        assert result.exit_code == 0
        assert (tmp_path / "here" / "d.csv").is_file()
        assert "no checksum is known" in result.stderr
        result = trace("fetch", "gone", "--to", tmp_path / "gone")
        assert result.exit_code == 1
        assert "d.csv was not downloaded" in result.stderr and "by hand" in result.stderr

    def test_the_shipped_copies_have_the_digests_that_are_known(self) -> None:
        for name in ("openb", "huawei-topology"):
            shipped = 0
            for download in KNOWN[name].downloads:
                path = Path(KNOWN[name].shipped) / download.name
                if path.is_file():
                    shipped += 1
                    assert path.stat().st_size == download.size
                    assert hashlib.sha256(path.read_bytes()).hexdigest() == download.sha256
            assert shipped >= 2

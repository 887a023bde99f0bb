"""Programs of extensions as real processes: what they are given, and what becomes of those that misbehave."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from backends.external.programs import ExtensionPrograms
from cloudsim.extensions import ProgramError, ProgramFailed


class Desk:
    """An extensions folder, and what runs the programs in it."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "extensions"
        self.payloads = place / "payloads"
        self.programs = ExtensionPrograms(self.folder, self.payloads, asyncio.to_thread)

    def write(self, body: str, path: str = "mine/program.py") -> Path:
        """A Python program; `operation`, `payload` and `timeout` are what it was called with."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            f"#!{sys.executable}\nimport json, os, sys, time\noperation, payload, timeout = sys.argv[1:]\n{body}\n"
        )
        file.chmod(0o700)
        return file

    def run(self, operation: str = "start", timeout: float = 20, **payload: Any) -> dict[str, Any]:
        return asyncio.run(self.programs.run("mine/program.py", operation, payload, timeout))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_program_gets_the_operation_a_file_with_the_payload_and_the_timeout(desk: Desk) -> None:
    desk.write("print(json.dumps({'asked': operation, 'told': json.load(open(payload)), 'within': timeout}))")
    assert desk.run("reboot", 17, virtualmachinename="i-2-3-VM") == {
        "asked": "reboot",
        "told": {"virtualmachinename": "i-2-3-VM"},
        "within": "17",
    }


def test_the_payload_is_readable_for_its_user_alone_and_gone_afterwards(desk: Desk) -> None:
    desk.write("print(json.dumps({'mode': oct(os.stat(payload).st_mode & 0o777)}))")
    assert desk.run() == {"mode": "0o600"}
    assert not list(desk.payloads.iterdir())


def test_a_program_does_not_see_the_servers_environment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSIM_ADMIN_SECRET_KEY", "secret")
    desk.write("print(json.dumps({'secret': os.environ.get('CLOUDSIM_ADMIN_SECRET_KEY')}))")
    assert desk.run() == {"secret": None}


def test_an_operation_is_no_text_for_a_shell(desk: Desk, tmp_path: Path) -> None:
    desk.write("print(json.dumps({'asked': operation}))")
    operation = f"start; touch {tmp_path}/made"
    assert desk.run(operation) == {"asked": operation}
    assert not (tmp_path / "made").exists()


def test_an_exit_code_is_told_with_the_programs_own_words(desk: Desk) -> None:
    desk.write("print(json.dumps({'status': 'error', 'message': 'no such node'})); sys.exit(3)")
    with pytest.raises(ProgramError, match=r"program\.py start failed with exit code 3: no such node"):
        desk.run()
    desk.write("print('trace', file=sys.stderr); sys.exit('it broke')")
    with pytest.raises(ProgramError, match="exit code 1: it broke"):
        desk.run()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"status": "error", "message": "no room"}, "no room"),
        ({"success": False, "result": {"message": "no room"}}, "no room"),
        ({"status": "failed"}, "does not say why"),
    ],
    ids=["status", "success", "silent"],
)
def test_an_answer_can_say_that_the_program_could_not(desk: Desk, answer: dict[str, Any], text: str) -> None:
    desk.write(f"print(json.dumps({answer!r}))")
    with pytest.raises(ProgramError, match=text):
        desk.run()


@pytest.mark.parametrize(
    ("said", "text"),
    [("hello", "no JSON object, but 'hello'"), ("[1]", r"no JSON object, but '\[1\]'"), ("", "no JSON object$")],
    ids=["text", "list", "nothing"],
)
def test_an_answer_that_is_no_json_object_is_an_error(desk: Desk, said: str, text: str) -> None:
    desk.write(f"print({said!r})")
    with pytest.raises(ProgramFailed, match=text):
        desk.run()


def test_a_program_whose_time_is_over_is_ended_with_what_it_has_started(desk: Desk, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    desk.write(
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    with pytest.raises(ProgramFailed, match="did not end start within 8 seconds"):
        desk.run(timeout=8)
    assert _is_gone(int(pid.read_text()))


def test_a_program_is_ended_when_nobody_waits_for_it_any_more(desk: Desk, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    os.mkfifo(pid)  # whoever reads it waits until the program has written
    desk.write(f"open({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)")
    told: list[int] = []

    async def abandon() -> None:
        task = asyncio.create_task(desk.programs.run("mine/program.py", "start", {}, 600))
        told.append(int(await asyncio.to_thread(pid.read_text)))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(abandon())
    assert _is_gone(told[0])


def _is_gone(pid: int) -> bool:
    """Whether the process ends; one that its parent has not looked at yet has ended, too."""
    for _ in range(2000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("path", ["../outside.py", "/bin/sh", "mine/../../outside.py", "mine//x", ".hidden", "a\\b", ""])
def test_no_path_leads_out_of_the_folder(desk: Desk, path: str) -> None:
    outside = desk.folder.parent / "outside.py"
    outside.write_text("#!/bin/sh\n")
    outside.chmod(0o700)
    assert not desk.programs.is_ready(path)
    with pytest.raises(ProgramFailed):
        asyncio.run(desk.programs.run(path, "start", {}, 5))
    for change in (desk.programs.make_example, desk.programs.remove):
        with pytest.raises(ProgramFailed):
            change(path)
    assert outside.read_text() == "#!/bin/sh\n"


def test_a_link_that_leads_out_of_the_folder_is_not_followed(desk: Desk) -> None:
    desk.folder.mkdir()
    (desk.folder / "mine").mkdir()
    (desk.folder / "mine" / "program.py").symlink_to("/bin/true")
    (desk.folder / "away").symlink_to(desk.folder.parent)
    assert not desk.programs.is_ready("mine/program.py")
    with pytest.raises(ProgramFailed, match="leads out of the extensions folder"):
        desk.run()
    with pytest.raises(ProgramFailed, match="leads out of the extensions folder"):
        desk.programs.make_example("away/program.py")
    assert not (desk.folder.parent / "program.py").exists()


def test_what_is_not_executable_is_not_ready(desk: Desk) -> None:
    file = desk.write("print('{}')")
    assert desk.programs.is_ready("mine/program.py")
    file.unlink()
    assert not desk.programs.is_ready("mine/program.py")
    with pytest.raises(ProgramFailed, match="there is no program"):
        desk.run()
    file.mkdir()
    assert not desk.programs.is_ready("mine/program.py")
    file.rmdir()
    file.write_text("#!/bin/sh\n")
    file.chmod(0o600)
    with pytest.raises(ProgramFailed, match="is not executable"):
        desk.run()


def test_the_example_answers_every_operation_and_refuses_others(desk: Desk) -> None:
    desk.programs.make_example("mine/program.py")
    assert desk.programs.is_ready("mine/program.py")
    for operation in ("prepare", "create", "start", "stop", "reboot", "delete"):
        assert desk.run(operation) == {"status": "success"}
    assert desk.run("status") == {"status": "success", "power_state": "unknown"}
    assert desk.run("statuses") == {"status": "success", "power_state": {}}
    for operation, text in (("getconsole", "no consoles"), ("dance", "dance is not supported")):
        with pytest.raises(ProgramError, match=text):
            desk.run(operation)


def test_an_example_never_replaces_a_program(desk: Desk) -> None:
    file = desk.write("print(json.dumps({'own': True}))")
    desk.programs.make_example("mine/program.py")
    assert desk.run() == {"own": True}
    desk.programs.remove("mine/program.py")
    assert not file.parent.exists()
    desk.programs.remove("mine/program.py")

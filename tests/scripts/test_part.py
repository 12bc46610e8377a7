"""One process of the service, with real processes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import part
from scripts.part import CannotRunError, Part

WAIT_SECONDS = 20


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the checkout's own."""
    monkeypatch.setattr(part, "ROOT", tmp_path)
    monkeypatch.setattr(part, "STATE", tmp_path / ".run")
    return tmp_path / ".run"


def wait_for(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.02)


def ended(process: Part) -> bool:
    assert process.process is not None
    return process.process.poll() is not None


def python(code: str, environment: dict[str, str | None] | None = None) -> Part:
    return Part("a-part", [sys.executable, "-c", code], environment or {})


def test_a_variable_is_added_replaced_or_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "as it was")
    monkeypatch.setenv("REPLACED", "old")
    monkeypatch.setenv("A_SECRET", "hunter2")
    shown = "import os; print([os.environ.get(n) for n in ('KEPT', 'REPLACED', 'A_SECRET')])"
    started = python(shown, {"REPLACED": "new", "A_SECRET": None})
    started.start()
    wait_for(lambda: ended(started))
    assert started.log.read_text().strip() == "['as it was', 'new', None]"


def test_what_has_ended_is_named_with_its_code_and_its_last_words() -> None:
    started = python("import sys; print('last words'); sys.exit(3)")
    started.start()
    wait_for(lambda: ended(started))
    with pytest.raises(CannotRunError, match="a-part ended with code 3") as caught:
        started.check()
    assert str(caught.value).endswith("last words")


def test_what_runs_is_not_complained_of_and_ends_when_it_is_asked_to() -> None:
    started = python("import time; time.sleep(600)")
    started.start()
    started.check()
    started.stop()
    assert ended(started)


def test_what_was_not_started_can_be_stopped() -> None:
    never = python("")
    never.ask_to_end()
    never.stop()
    never.check()
    assert never.process is None


def test_what_a_part_started_ends_with_it(state: Path) -> None:
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', {!r}]).wait()"
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    started = python(code.format(child))
    started.start()
    wait_for(lambda: started.log.read_text().endswith("\n"))
    number = int(started.log.read_text())
    started.stop()
    wait_for(lambda: not running(number))
    assert (state / "logs" / "a-part.log").exists()


def running(number: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except OSError:
        return False

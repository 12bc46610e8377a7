"""`make run` as a person uses it: start, look, harm, stop. Every part is the real one."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.service import ROOT, free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
READY_SECONDS = 90
PARTS = {"redis", "online", "background", "bulk", "beat", "flower", "api"}


class Run:
    """One `make run` in a copy of the project's files, so that the state of a person's own run is left alone."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.output = root / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.run_service"],
                cwd=root,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.started = psutil.Process(self.process.pid)

    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while words not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.1)

    def children(self) -> list[psutil.Process]:
        return self.started.children(recursive=True)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("api", "worker", "ml", "scripts", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "scripts").unlink()
    (tmp_path / "scripts").mkdir()
    for name in (
        "part.py",
        "ports.py",
        "run_settings.py",
        "run_service.py",
    ):  # they look for .run beside themselves
        (tmp_path / "scripts" / name).write_text((ROOT / "scripts" / name).read_text())
    return tmp_path


@pytest.fixture
def environment() -> dict[str, str]:
    names = ["PORT", "FLOWER_PORT", "EMBEDDED_REDIS_PORT"]
    names += ["WORKER_METRICS_PORT", "BACKGROUND_METRICS_PORT", "BULK_METRICS_PORT"]
    return {name: str(free_port()) for name in names} | {
        "REDIS_URL": "",
        "FLOWER_BASIC_AUTH": "",  # which Flower would take for a password that nobody has
    }


@pytest.fixture
def run(root: Path, environment: dict[str, str]) -> Iterator[Run]:
    running = Run(root, environment)
    children: list[psutil.Process] = []
    try:
        running.wait_for("Ctrl-C stops everything")
        children = running.children()
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGTERM)
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


def get(url: str, **headers: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        body: bytes = answer.read()
    return body


def predict(port: str, host: str = "127.0.0.1") -> Any:
    text = (
        '{"did": "did:example:alice", "features": {"typing_speed_wpm": 65, "avg_key_hold_time_ms": 120,'
        ' "avg_transition_time_ms": 85, "error_rate_percent": 3, "activity_hour_preference": 14}}'
    )
    with urllib.request.urlopen(
        f"http://{host}:{port}/predict", text.encode(), timeout=10
    ) as answer:
        return json.loads(answer.read())


def test_everything_runs_remembers_and_leaves_no_process_behind(
    root: Path, environment: dict[str, str], run: Run
) -> None:
    assert {log.stem for log in (root / ".run" / "logs").iterdir()} == PARTS
    for where in (environment["PORT"], environment["FLOWER_PORT"], "curl -s"):
        assert where in run.text()
    assert b"Flower" in get(f"http://127.0.0.1:{environment['FLOWER_PORT']}/")
    assert b"biometrics_worker_" in get(
        f"http://127.0.0.1:{environment['WORKER_METRICS_PORT']}/metrics"
    )
    assert predict(environment["PORT"])["history_used"] == 0
    children = run.children()
    assert len(children) >= len(PARTS)
    assert run.end(signal.SIGINT) == 0
    assert psutil.wait_procs(children, timeout=5)[1] == []
    again = Run(root, environment)
    again.wait_for("Ctrl-C stops everything")
    assert predict(environment["PORT"])["history_used"] == 1  # the embedded server kept its data
    assert again.end(signal.SIGINT) == 0


def test_a_part_that_dies_is_named_with_its_last_words_and_the_rest_is_stopped(
    root: Path, run: Run
) -> None:
    children = run.children()
    worker = next(c for c in children if c.cmdline()[-2:] == ["worker", "online"])
    worker.kill()
    assert run.process.wait(60) == 1
    assert "online ended with code -9" in run.text()
    assert psutil.wait_procs(children, timeout=5)[1] == []


def test_a_second_run_in_the_same_directory_and_a_taken_port_are_refused_with_a_remedy(
    root: Path, environment: dict[str, str], run: Run
) -> None:
    second = Run(root, environment)
    assert second.process.wait(60) == 1
    assert "runs already" in second.text()
    run.end(signal.SIGTERM)
    blocker = subprocess.Popen(
        [sys.executable, "-m", "http.server", environment["PORT"], "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{environment['PORT']}/"
        for _ in range(100):
            with contextlib.suppress(OSError):
                get(url)
                break
            time.sleep(0.1)
        third = Run(root, environment)
        assert third.process.wait(60) == 1
        assert "help: PORT=" in third.text()
    finally:
        blocker.terminate()
        blocker.wait()


def test_a_redis_of_ones_own_is_used_and_none_is_started(
    root: Path, environment: dict[str, str], redis_url: str
) -> None:
    running = Run(root, environment | {"REDIS_URL": redis_url})
    try:
        running.wait_for("Ctrl-C stops everything")
        assert not (root / ".run" / "logs" / "redis.log").exists()
        assert predict(environment["PORT"])["confidence_score"] >= 0
    finally:
        assert running.end(signal.SIGINT) == 0


def test_flower_watches_the_broker_and_each_secret_reaches_one_part(
    root: Path, environment: dict[str, str], redis_url: str
) -> None:
    broker = redis_url.removesuffix("/0") + "/7"
    secrets = {"DID_HASH_KEY": "0123456789abcdef" * 2, "FLOWER_BASIC_AUTH": "name:password"}
    (root / ".env").write_text(f"FLOWER_BASIC_AUTH={secrets['FLOWER_BASIC_AUTH']}\n")
    del environment["FLOWER_BASIC_AUTH"]
    urls = {"REDIS_URL": redis_url, "BROKER_URL": broker}
    running = Run(root, environment | urls | {"DID_HASH_KEY": secrets["DID_HASH_KEY"]})
    try:
        running.wait_for("Ctrl-C stops everything")
        flower = f"http://127.0.0.1:{environment['FLOWER_PORT']}/workers?json=1"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            get(flower)
        token = base64.b64encode(secrets["FLOWER_BASIC_AUTH"].encode()).decode()
        deadline = time.monotonic() + READY_SECONDS
        while b"online@" not in get(flower, Authorization=f"Basic {token}"):
            assert time.monotonic() < deadline, "Flower does not see the worker"
            time.sleep(0.1)
        found = {name_of(child): child.environ() for child in running.started.children()}
        assert found.keys() == PARTS - {"redis"}
        for name, owner in (("DID_HASH_KEY", "api"), ("FLOWER_BASIC_AUTH", "flower")):
            assert [part for part in found if name in found[part]] == [owner]
            assert found[owner][name] == secrets[name]
        lines = [" ".join(child.cmdline()) for child in running.children()]
        assert [line for line in lines if "redis://" in line] == []
    finally:
        assert running.end(signal.SIGINT) == 0


def name_of(part: psutil.Process) -> str:
    """`python -m worker online` and `python -m celery flower` are known by the last word, as is the front end."""
    return part.cmdline()[-1]


def test_the_address_that_is_printed_can_be_called(
    root: Path, environment: dict[str, str], redis_url: str
) -> None:
    if not has_ipv6_loopback():
        pytest.skip("this machine has no ::1")
    running = Run(root, environment | {"HOST": "::1", "REDIS_URL": redis_url})
    try:
        running.wait_for("Ctrl-C stops everything")
        assert f"http://[::1]:{environment['PORT']}/predict" in running.text()
        assert predict(environment["PORT"], "[::1]")["confidence_score"] >= 0
    finally:
        assert running.end(signal.SIGINT) == 0


def has_ipv6_loopback() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False

"""`python -m api` as a process: serves, writes its log, and ends when it is asked to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from api.__main__ import ACCEPTED_A_TURN
from tests.api.front import HASH_KEY
from tests.api.served import exchange
from tests.e2e.service import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 20.0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "api.log"


@pytest.fixture
def serving(
    redis_url: str, log: Path, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process and its address, once it answers."""
    port = free_port()
    settings = {"DID_HASH_KEY": HASH_KEY, "REDIS_URL": redis_url, "PORT": str(port)}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-m", "api"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for_answer(process, url, log)
        yield process, url
    finally:
        process.kill()
        process.wait()


def wait_for_answer(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            httpx.get(url)
        except httpx.TransportError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "the process does not answer"
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_then_ends_in_order(
    serving: tuple[subprocess.Popen[bytes], str], log: Path, wanted: signal.Signals
) -> None:
    process, url = serving
    response = httpx.get(url)
    assert response.status_code == 200
    assert "server" not in response.headers
    assert exchange(response.url.port or 0, b"BREW / HTTP/1.1\r\n\r\n").endswith(
        b'"error_code":"INVALID_INPUT","path":"/"}'
    )
    process.send_signal(wanted)
    process.wait(READY_SECONDS)
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert "request" in events
    assert "Application shutdown complete." in events


def test_each_turn_of_its_loop_takes_many_connections_in(
    serving: tuple[subprocess.Popen[bytes], str],
) -> None:
    process, _ = serving
    sockets = psutil.Process(process.pid).net_connections("tcp")
    (listener,) = (each.fd for each in sockets if each.status == psutil.CONN_LISTEN)
    files = Path(f"/proc/{process.pid}/fd")
    queue = (files / str(listener)).readlink()
    copies = [each for each in files.iterdir() if each.readlink() == queue]
    assert len(copies) >= ACCEPTED_A_TURN > 1


def test_without_a_file_left_it_goes_on_and_answers_when_there_is_one_again(
    serving: tuple[subprocess.Popen[bytes], str],
) -> None:
    process, url = serving
    running = psutil.Process(process.pid)
    most = running.num_fds() + 20
    running.rlimit(psutil.RLIMIT_NOFILE, (most, most))
    address = ("127.0.0.1", httpx.URL(url).port or 0)
    crowd = [socket.create_connection(address, READY_SECONDS) for _ in range(60)]
    turned_down = crowd[-1].recv(1)
    for connection in crowd:
        connection.close()
    wait_for_answer(process, url, Path(os.devnull))
    assert turned_down == b""


def test_a_port_that_is_taken_is_named_and_ends_it(
    serving: tuple[subprocess.Popen[bytes], str], redis_url: str, tmp_path: Path
) -> None:
    _, url = serving
    settings = {"DID_HASH_KEY": HASH_KEY, "REDIS_URL": redis_url, "PORT": url.rpartition(":")[2]}
    second = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode != 0
    assert "address already in use" in second.stderr.lower()
    assert httpx.get(url).status_code == 200

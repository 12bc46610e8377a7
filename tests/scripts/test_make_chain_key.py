from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from api.chain.keys import signing_key
from scripts.make_chain_key import make
from tests.api.front import settings

ROOT = Path(__file__).resolve().parents[2]


def run(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "make_chain_key.py"), str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make(tmp_path / "chain.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "chain.key").stat().st_mode) == 0o600


def test_the_service_takes_the_file_and_signs_with_the_key_that_was_shown(tmp_path: Path) -> None:
    path = tmp_path / "chain.key"
    ended = run(path)
    assert ended.returncode == 0
    assert f"CHAIN_KEY_FILE={path}" in ended.stdout
    key = signing_key(settings(chain_key_file=str(path), chain_oracle_id=1))
    assert key is not None
    assert f"0x{key.public.hex()}" in ended.stdout
    assert path.read_text().strip() not in ended.stdout


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "chain.key"
    run(path)
    before = path.read_text()
    again = run(path)
    assert again.returncode == 1
    assert "help: name another file" in again.stderr
    assert path.read_text() == before


def test_every_key_is_another(tmp_path: Path) -> None:
    assert make(tmp_path / "a").public != make(tmp_path / "b").public
    with pytest.raises(FileExistsError):
        make(tmp_path / "a")

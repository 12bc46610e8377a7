"""The reload: a new version of the same model, and the pause that callers feel."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import reload
from bench.load import Target
from bench.peers.answers import MODEL
from ml.registry import load
from tests.bench.conftest import Serve
from tests.bench.stalling_server import ANSWER, REFUSAL


def test_the_prepared_model_is_the_shipped_one_under_another_version(tmp_path: Path) -> None:
    promotions = reload.prepare(tmp_path, "9.0.1")
    assert promotions.current() is None
    promotions.promote("9.0.1")
    path = promotions.current()
    assert path is not None
    again, shipped = load(path), load(MODEL)
    assert again.model_version == "9.0.1"
    assert again.sha256 != shipped.sha256
    weights = zip(again.model.network.parameters(), shipped.model.network.parameters(), strict=True)
    assert all(bool((one == other).all()) for one, other in weights)


def test_a_stall_is_the_longest_pause(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "SECONDS", 0.8)
    server = serve(stall_at=100, stall_seconds=0.3)
    assert reload.longest_pause_ms(Target(server.port, "/", [b"x"])) > 250


def test_a_request_without_an_answer_is_no_pause_but_an_error(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "SECONDS", 0.2)
    server = serve(lambda n: REFUSAL if n == 10 else ANSWER)
    with pytest.raises(OSError, match="1 requests failed"):
        reload.longest_pause_ms(Target(server.port, "/", [b"x"]))

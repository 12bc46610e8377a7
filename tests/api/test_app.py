from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from api.app import create_app
from api.settings import SettingsError
from api.version import VERSION
from tests.api.front import HASH_KEY, app_for, client_of, front, refused, request_body, settings
from tests.api.stub_scoring import StubScoring

ROOT = Path(__file__).resolve().parents[2]
ABSENT = (
    "print(sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'numpy', 'ml'}))"
)


def run(
    *arguments: str, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that knows the project and none of the service's settings."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_importing_the_front_end_needs_no_setting_and_brings_no_model(tmp_path: Path) -> None:
    result = run("-c", f"import sys, api.app; {ABSENT}", folder=tmp_path)
    assert (result.returncode, result.stdout.strip()) == (0, "[]"), result.stderr


def test_a_made_application_brings_no_model_either(tmp_path: Path) -> None:
    program = f"import sys; from api.app import create_app; create_app(); {ABSENT}"
    result = run("-c", program, folder=tmp_path, DID_HASH_KEY=HASH_KEY)
    assert (result.returncode, result.stdout.strip()) == (0, "[]"), result.stderr


def test_serving_without_a_hash_key_ends_with_the_remedy(tmp_path: Path) -> None:
    result = run("-m", "api", folder=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("DID_HASH_KEY is not set")
    assert "Traceback" not in result.stderr


def test_an_application_without_a_hash_key_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DID_HASH_KEY", raising=False)
    with pytest.raises(SettingsError, match="DID_HASH_KEY"):
        create_app()


@pytest.mark.anyio
async def test_making_an_application_opens_nothing_and_its_lifespan_opens_and_closes() -> None:
    stub = StubScoring()
    app = app_for(stub)
    assert not stub.opened
    async with app.router.lifespan_context(app):
        assert stub.opened
    assert not stub.opened


@pytest.mark.anyio
async def test_the_queue_is_closed_even_when_the_service_breaks() -> None:
    stub = StubScoring()
    app = app_for(stub)
    with pytest.raises(KeyError):
        async with app.router.lifespan_context(app):
            raise KeyError
    assert not stub.opened


@pytest.mark.anyio
async def test_two_applications_in_one_process_do_not_share_their_counts() -> None:
    first, second = app_for(), app_for()
    await client_of(first).post("/predict", json=request_body())
    shown = (await client_of(second).get("/metrics")).text
    assert 'route="/predict"' not in shown


@pytest.mark.anyio
async def test_without_a_queue_a_question_is_refused_at_once_and_says_so() -> None:
    app = create_app(settings())
    async with app.router.lifespan_context(app), client_of(app) as client:
        response = await client.post("/predict", json=request_body())
        refused(response, 503, "QUEUE_UNAVAILABLE")
        assert response.headers["retry-after"]
        assert (await client.get("/health")).status_code == 503
        assert (await client.get("/metrics")).status_code == 200


@pytest.mark.anyio
async def test_an_unexpected_error_has_the_documented_form_on_every_route() -> None:
    stub = StubScoring()
    stub.failure = stub.sums_failure = RuntimeError("a bug")
    async with front(stub) as client:
        for path in ("/health", "/stats", "/metrics"):
            refused(await client.get(path), 500, "INTERNAL_ERROR")
        refused(await client.post("/predict", json=request_body()), 500, "INTERNAL_ERROR")


@pytest.mark.anyio
async def test_the_documentation_is_a_page() -> None:
    async with front() as client:
        page = await client.get("/docs")
    assert page.status_code == 200
    assert "/openapi.json" in page.text


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION

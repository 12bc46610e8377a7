from __future__ import annotations

import hashlib

import pytest

from api.access.keys import OPEN, key_hash, new_key
from tests.api.front import front, refused, request_body

pytestmark = pytest.mark.anyio
KEYS = ("first-key", "second-key")
HASHES = ",".join(key_hash(key) for key in KEYS)


@pytest.mark.parametrize("key", KEYS)
async def test_every_configured_key_is_let_in(key: str) -> None:
    async with front(api_key_hashes=HASHES) as client:
        headers = {"x-api-key": key}
        response = await client.post("/predict", json=request_body(), headers=headers)
        assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "third-key"},
        {"X-API-Key": key_hash("first-key")},
        {"X-API-Key": "first-key "[:-2]},
        {"Authorization": "Bearer first-key"},
    ],
)
async def test_anything_else_is_refused_before_the_body_is_looked_at(
    headers: dict[str, str],
) -> None:
    async with front(api_key_hashes=HASHES) as client:
        response = await client.post("/predict", content=b"no json", headers=headers)
        assert "X-API-Key" in refused(response, 401, "UNAUTHORIZED")
        assert response.headers["www-authenticate"].startswith("ApiKey")


@pytest.mark.parametrize("path", sorted(OPEN))
async def test_the_pages_that_explain_the_service_stay_open(path: str) -> None:
    # With a signing key, else /chain/keys is 404.
    async with front(api_key_hashes=HASHES, chain_key="01" * 32, chain_oracle_id=1) as client:
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/stats", "/metrics", "/unknown", "/health/"])
async def test_all_other_pages_need_a_key(path: str) -> None:
    async with front(api_key_hashes=HASHES) as client:
        refused(await client.get(path), 401, "UNAUTHORIZED")


async def test_a_key_of_bytes_beyond_ascii_is_just_a_wrong_key() -> None:
    async with front(api_key_hashes=HASHES) as client:
        headers = {b"X-API-Key": b"\xff\xfe"}
        refused(await client.get("/stats", headers=headers), 401, "UNAUTHORIZED")


async def test_without_configured_keys_none_is_needed() -> None:
    async with front() as client:
        assert (await client.post("/predict", json=request_body())).status_code == 200


@pytest.mark.parametrize("needed", [True, False])
async def test_the_documentation_says_where_a_key_is_needed(needed: bool) -> None:
    async with front(api_key_hashes=HASHES if needed else "") as client:
        document = (await client.get("/openapi.json")).json()
    scheme = document["components"]["securitySchemes"]["ApiKey"]
    assert (scheme["in"], scheme["name"]) == ("header", "X-API-Key")
    secured = {path for path, methods in document["paths"].items() if "security" in str(methods)}
    jobs = {"/jobs", "/jobs/{job_id}", "/jobs/{job_id}/results"}
    jobs |= {"/dead-letters", "/dead-letters/{name}", "/dead-letters/{name}/retry"}
    others = {"/predict", "/batch-predict", "/chain/score", "/stats", "/metrics"}
    assert secured == (jobs | others if needed else set())


def test_only_the_sum_of_a_key_is_configured() -> None:
    assert key_hash("first-key") == hashlib.sha256(b"first-key").hexdigest()


def test_a_new_key_cannot_be_guessed() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert min(map(len, keys)) >= 43  # 256 bits in base64

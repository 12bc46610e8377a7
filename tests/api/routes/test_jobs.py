"""`/jobs` over a real store and no worker: what is taken in, refused, shown, and freed."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from redis import Redis
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.access.keys import key_hash
from api.ranges import LAST_TIMESTAMP
from tests.api.front import app_for, front, refused, request_body
from tests.api.test_openapi import beyond_json_schema
from worker.contract import BULK_QUEUE, CALLBACKS, JobKeys

pytestmark = pytest.mark.anyio


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


@pytest.fixture
async def client(redis: Redis, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with front(redis_url=redis_url) as asking:
        yield asking


def lines(*bodies: Any) -> bytes:
    return b"\n".join(
        body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies
    )


def some(count: int) -> list[dict[str, Any]]:
    return [request_body(did=f"0x{n:x}") for n in range(count)]


async def submitted(client: httpx.AsyncClient, body: bytes, **headers: str) -> dict[str, Any]:
    response = await client.post("/jobs", content=body, headers=headers)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    assert response.headers["location"] == job["links"]["self"] == f"/jobs/{job['job_id']}"
    return job


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(some(5)).encode(),
        json.dumps(some(5), indent=2).encode(),
        lines(*some(5)),
        b"\xef\xbb\xbf\r\n" + lines(*some(5)).replace(b"\n", b"\r\n\r\n") + b"\n",
    ],
    ids=["a list", "a list over many lines", "lines", "lines with blanks"],
)
async def test_a_list_and_lines_become_the_same_job(
    client: httpx.AsyncClient, redis: Redis, body: bytes
) -> None:
    job = await submitted(client, body)
    assert (job["state"], job["total"], job["done"], job["failed"]) == ("queued", 5, 0, 0)
    assert (await client.get(job["links"]["self"])).json() == job
    assert redis.llen(BULK_QUEUE) == 1


async def test_gzip_is_taken_off_and_is_the_same_content(client: httpx.AsyncClient) -> None:
    body = lines(*some(3))
    packed = gzip.compress(body[:100]) + gzip.compress(body[100:])
    plain = await submitted(client, body)
    again = await submitted(client, packed, **{"content-encoding": "gzip"})
    assert again["job_id"] == plain["job_id"]


@pytest.mark.parametrize(
    ("body", "encoding", "words"),
    [
        (b"", "identity", "no pattern"),
        (b"[]", "identity", "no pattern"),
        (lines({"did": 3}, b"{"), "identity", "none of the 2 patterns is valid; line 1: did must"),
        (b'[{"did": "0x1"}', "identity", "']' is missing"),
        (b"[] []", "identity", "follows the end"),
        (b"no gzip", "gzip", "gzip"),
        (gzip.compress(lines(*some(3)))[:-9], "gzip", "ends too early"),
        (b"x", "br", "Content-Encoding"),
    ],
)
async def test_a_body_without_one_good_pattern_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient, redis: Redis, body: bytes, encoding: str, words: str
) -> None:
    response = await client.post("/jobs", content=body, headers={"content-encoding": encoding})
    assert words in refused(response, 400, "INVALID_INPUT")
    assert redis.dbsize() == 0


async def test_a_broken_line_is_named_in_the_results_and_stops_no_other(
    client: httpx.AsyncClient,
) -> None:
    future = request_body(timestamp=LAST_TIMESTAMP)
    job = await submitted(client, lines(b"nonsense", request_body(), {"did": "0x1"}, future))
    assert (job["total"], job["failed"], job["broken"]) == (4, 3, 3)
    response = await client.get(job["links"]["results"])
    assert response.headers["content-type"] == "application/x-ndjson"
    first = [json.loads(line) for line in response.text.splitlines()]
    assert [(each["index"], each["line"]) for each in first] == [(0, 1)]  # the second has none yet
    rest = (await client.get(job["links"]["results"] + "?offset=2")).text.splitlines()
    assert [json.loads(line)["index"] for line in rest] == [2, 3]
    assert "features is missing" in json.loads(rest[0])["detail"]
    assert "an hour ahead" in json.loads(rest[1])["detail"]


@pytest.mark.parametrize("form", [b"%b\n%b", b"[%b, %b]"], ids=["lines", "a list"])
@pytest.mark.parametrize("length", [300_000, 600_000])
async def test_a_job_takes_a_pattern_as_long_as_predict_takes_and_no_longer(
    redis: Redis, redis_url: str, form: bytes, length: int
) -> None:
    short = json.dumps(request_body()).encode()
    long = short[:-1].ljust(length - 1) + b"}"
    async with front(redis_url=redis_url, max_body_bytes=400_000) as client:
        taken = (await client.post("/predict", content=long)).status_code == 200
        job = await submitted(client, form % (short, long))
        assert (taken, job["broken"]) == ((True, 0) if length < 400_000 else (False, 1))
        results = await client.get(job["links"]["results"] + "?offset=1")
        assert ("at most 400,000 bytes" in results.text) != taken


async def test_results_that_an_ended_job_has_lost_are_named_in_their_place(
    client: httpx.AsyncClient, redis: Redis
) -> None:
    job = await submitted(
        client, lines(request_body(), b"nonsense", request_body(), b"no", *some(1))
    )
    redis.hset(JobKeys(job["job_id"]).job, "state", "done")
    for offset in (0, 2):
        response = await client.get(job["links"]["results"], params={"offset": offset})
        found = [json.loads(line) for line in response.text.splitlines()]
        assert [each["index"] for each in found] == list(range(offset, 5))
        codes = {each["index"]: each["error_code"] for each in found}
        assert codes[2] == codes[4] == "INFERENCE_ERROR"
        assert codes[3] == "INVALID_INPUT"


async def test_results_that_cannot_be_read_are_told_by_the_status(
    client: httpx.AsyncClient, redis: Redis
) -> None:
    job = await submitted(client, lines(*some(2), b"broken"))
    redis.delete(JobKeys(job["job_id"]).results(0))
    redis.set(JobKeys(job["job_id"]).results(0), "no hash")
    refused(await client.get(job["links"]["results"]), 503, "QUEUE_UNAVAILABLE")


async def test_an_idempotency_key_stands_for_one_content(client: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "monday"}
    first = await submitted(client, lines(*some(3)), **key)
    assert (await submitted(client, lines(*some(3)), **key))["job_id"] == first["job_id"]
    other = await client.post("/jobs", content=lines(*some(4)), headers=key)
    assert "another key" in refused(other, 409, "IDEMPOTENCY_CONFLICT")
    assert len((await client.get("/jobs")).json()["jobs"]) == 1
    unnamed = await submitted(client, lines(*some(3)))
    assert unnamed["job_id"] != first["job_id"]


async def test_too_many_patterns_and_too_long_a_body_are_413_and_leave_nothing(
    redis: Redis, redis_url: str
) -> None:
    async with front(redis_url=redis_url, job_max_patterns=3) as client:
        await submitted(client, lines(*some(3)))
        response = await client.post("/jobs", content=lines(*some(4)))
        assert "at most 3 patterns" in refused(response, 413, "BODY_TOO_LARGE")
    redis.flushdb()
    async with front(redis_url=redis_url, job_max_bytes=1024) as client:
        bomb = gzip.compress(b" " * 10_000_000)
        response = await client.post("/jobs", content=bomb, headers={"content-encoding": "gzip"})
        refused(response, 413, "BODY_TOO_LARGE")
        assert redis.dbsize() == 0


async def test_no_did_reaches_the_store(client: httpx.AsyncClient, redis: Redis) -> None:
    await submitted(client, lines(request_body(did="did:example:c0ffee15bad"), b"c0ffee15bad"))
    keys = list(redis.scan_iter(count=1000))
    assert keys
    assert not any(b"c0ffee15bad" in (redis.dump(key) or b"") for key in keys)


async def test_cancelling_frees_everything_but_the_word_that_it_was_cancelled(
    client: httpx.AsyncClient, redis: Redis
) -> None:
    job = await submitted(client, lines(*some(5), b"broken"))
    assert (await client.delete(job["links"]["self"])).status_code == 204
    assert (await client.get(job["links"]["self"])).json()["state"] == "cancelled"
    refused(await client.get(job["links"]["results"]), 404, "NOT_FOUND")
    kept = {key.decode() for key in redis.scan_iter("biometrics:job:*", count=1000)}
    assert kept == {JobKeys(job["job_id"]).job}
    assert (await submitted(client, lines(*some(5), b"broken")))["job_id"] != job["job_id"]


async def test_a_callback_is_refused_where_the_operator_lists_no_host(
    client: httpx.AsyncClient, redis: Redis
) -> None:
    response = await client.post("/jobs?callback_url=https://x.example/", content=lines(*some(1)))
    assert "CALLBACK_HOSTS" in refused(response, 400, "INVALID_INPUT")
    assert redis.dbsize() == 0
    assert (await submitted(client, lines(*some(1))))["callback"] is None


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("callback_url=https://x.example/a&callback_url=https://x.example/a", "given once"),
        ("callback_url=&callback_url=https://x.example/a", "given once"),
        ("callback=https://x.example/a", "'callback'; the only one is callback_url"),
        ("Callback_Url=https://x.example/a", "'Callback_Url'"),
        ("callback_url=https://x.example/a&key=1", "'key'"),
        ("a%0Ab=" + "x" * 100, r"'a\nb'"),
    ],
)
async def test_a_query_that_would_be_ignored_is_refused(
    redis: Redis, redis_url: str, query: str, words: str
) -> None:
    key = "c" * 32
    async with front(redis_url=redis_url, callback_hosts="x.example", callback_key=key) as client:
        response = await client.post(f"/jobs?{query}", content=lines(*some(1)))
        assert words in refused(response, 400, "INVALID_INPUT")
        assert redis.dbsize() == 0


async def test_a_callback_waits_for_the_jobs_end_and_belongs_to_its_content(
    redis: Redis, redis_url: str
) -> None:
    key = "c" * 32
    async with front(redis_url=redis_url, callback_hosts="x.example", callback_key=key) as client:
        body, asked = lines(*some(2)), "/jobs?callback_url=https://x.example/"
        job = (await client.post(asked, content=body)).json()
        assert job["callback"] == {"state": "waiting", "attempts": 0, "error": None}
        assert (await client.post(asked, content=body)).json() == job
        for other in ("/jobs", asked + "other"):
            detail = refused(await client.post(other, content=body), 409, "IDEMPOTENCY_CONFLICT")
            assert "callback_url" in detail
        await client.delete(job["links"]["self"])
        cancelled = (await client.get(job["links"]["self"])).json()
        assert cancelled["callback"]["state"] == "dropped"
        assert "x.example" not in str(cancelled)
        assert redis.zcard(CALLBACKS) == 0


@pytest.mark.parametrize("path", ["/jobs/nonsense", "/jobs/" + "0" * 32, "/jobs/x/results"])
async def test_an_unknown_job_is_404(client: httpx.AsyncClient, path: str) -> None:
    refused(await client.get(path), 404, "NOT_FOUND")
    assert (await client.request("DELETE", path)).status_code in {404, 405}


@pytest.mark.parametrize("offset", ["-1", "x", "1.5", "", "٣", "99999999"])
async def test_an_offset_that_is_no_number_is_refused(
    client: httpx.AsyncClient, offset: str
) -> None:
    job = await submitted(client, lines(*some(1)))
    response = await client.get(job["links"]["results"], params={"offset": offset})
    assert "offset must be" in refused(response, 400, "INVALID_INPUT")


async def test_a_caller_with_a_key_sees_its_own_jobs_only(redis_url: str, redis: Redis) -> None:
    keys = ("first", "second")
    hashes = ",".join(key_hash(key) for key in keys)
    async with front(redis_url=redis_url, api_key_hashes=hashes) as client:
        mine, yours = ({"X-API-Key": key} for key in keys)
        job = await submitted(client, lines(*some(2)), **mine)
        assert len((await client.get("/jobs", headers=mine)).json()["jobs"]) == 1
        assert (await client.get("/jobs", headers=yours)).json() == {"jobs": []}
        refused(await client.get(job["links"]["self"], headers=yours), 404, "NOT_FOUND")
        refused(await client.get(job["links"]["self"]), 401, "UNAUTHORIZED")


async def test_without_a_store_every_route_says_503() -> None:
    async with front() as client:
        for request in (("GET", "/jobs"), ("GET", "/jobs/" + "0" * 32)):
            refused(await client.request(*request), 503, "QUEUE_UNAVAILABLE")
        refused(await client.post("/jobs", content=lines(*some(1))), 503, "QUEUE_UNAVAILABLE")


def test_every_answer_fits_the_schema_and_nothing_ends_in_a_5xx(redis_url: str) -> None:
    app = app_for(clock=lambda: LAST_TIMESTAMP, log_level="ERROR", redis_url=redis_url)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app).include(
        path_regex="^/(jobs|dead-letters)"
    )
    checked = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]

        @given(case=operation.as_strategy())
        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        def check(case: schemathesis.Case[Any]) -> None:
            listed = "callback_url" not in (case.query or {})  # which hosts are, no schema can say
            beyond = beyond_json_schema(case.body) if listed else [positive_data_acceptance]
            case.call_and_validate(excluded_checks=beyond)

        check()
        checked += 1
    assert checked == 8

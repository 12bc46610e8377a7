from __future__ import annotations

import json

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.errors import OverloadedError
from api.refusal import MAX_PATH_LENGTH, json_response, refusal, refuse_http
from worker.contract import ErrorCode

pytestmark = pytest.mark.anyio


def request(method: str, path: str = "/predict") -> Request:
    headers = [(b"host", b"service")]
    return Request({"type": "http", "method": method, "path": path, "headers": headers})


async def answered(error: HTTPException, method: str = "GET") -> Response:
    return await refuse_http(request(method), error)


def read(response: Response) -> dict[str, str]:
    body: dict[str, str] = json.loads(bytes(response.body))
    return body


def test_an_error_has_three_keys_and_its_headers() -> None:
    response = refusal(OverloadedError("full", retry_after_seconds=2), "/predict")
    assert response.status_code == 503
    assert response.media_type == "application/json"
    assert response.headers["retry-after"] == "2"
    assert read(response) == {"detail": "full", "error_code": "OVERLOADED", "path": "/predict"}


def test_a_strangers_path_is_cut_short() -> None:
    assert len(read(refusal(OverloadedError(), "/" + "x" * 5000))["path"]) == MAX_PATH_LENGTH


def test_json_is_compact() -> None:
    assert json_response({"a": [1, 2.5]}).body == b'{"a":[1,2.5]}'


async def test_an_unknown_path_is_not_found() -> None:
    response = await answered(HTTPException(404))
    assert (response.status_code, read(response)["error_code"]) == (404, ErrorCode.NOT_FOUND)


async def test_a_wrong_method_is_told_the_right_ones() -> None:
    response = await answered(HTTPException(405, headers={"Allow": "POST"}))
    assert (response.status_code, read(response)["error_code"]) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "OPTIONS, POST"


async def test_head_is_allowed_wherever_get_is() -> None:
    response = await answered(HTTPException(405, headers={"Allow": "GET"}), "POST")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_options_is_answered_with_the_methods_and_no_body() -> None:
    response = await answered(HTTPException(405, headers={"Allow": "POST"}), "OPTIONS")
    assert (response.status_code, response.body) == (204, b"")
    assert response.headers["allow"] == "OPTIONS, POST"


@pytest.mark.parametrize(("status", "code"), [(418, "INVALID_INPUT"), (502, "INTERNAL_ERROR")])
async def test_what_else_a_framework_may_say_keeps_the_documented_form(
    status: int, code: str
) -> None:
    assert read(await answered(HTTPException(status, "in its own words")))["error_code"] == code


async def test_what_is_no_http_error_is_not_swallowed() -> None:
    with pytest.raises(KeyError):
        await refuse_http(request("GET"), KeyError("x"))

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from api.logs import configure_logs
from tests.api.front import front, request_body

DID = "0x742d35cc6634c0532925a3b844bc9e7595f0beb"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leaves the process's logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "json", stream)
    structlog.get_logger().info("request", status=200, note="two\nlines")
    (line,) = lines(stream)
    assert (line["event"], line["status"], line["level"]) == ("request", 200, "info")
    assert line["timestamp"].endswith("Z")


def test_text_is_for_people() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "text", stream)
    structlog.get_logger().info("request", status=200)
    assert "request" in stream.getvalue()
    assert "status=200" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_what_is_below_the_level_is_not_written() -> None:
    stream = io.StringIO()
    configure_logs("WARNING", "json", stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet, too")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_a_trace_stays_within_its_line() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "json", stream)
    try:
        raise RuntimeError("why")
    except RuntimeError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert "RuntimeError: why" in line["exception"]
    assert "test_logs.py" in line["exception"]


def test_the_libraries_write_in_the_same_form_and_once() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "json", io.StringIO())
    configure_logs("INFO", "json", stream)
    logging.getLogger("uvicorn.error").warning("a %s", "word")
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["level"]) == ("a word", "uvicorn.error", "warning")


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_librarys_trace_is_written_out_in_either_form(form: str) -> None:
    stream = io.StringIO()
    configure_logs("INFO", form, stream)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            raise RuntimeError("why")
        except RuntimeError:
            logging.getLogger("uvicorn.error").exception("failed")
    assert "RuntimeError: why" in stream.getvalue()
    assert "traceback object at" not in stream.getvalue()
    if form == "json":
        assert lines(stream)[0]["exception"].endswith("RuntimeError: why")


def test_the_libraries_never_write_at_debug() -> None:
    stream = io.StringIO()
    configure_logs("DEBUG", "json", stream)
    logging.getLogger("celery").debug("a message's body")
    assert stream.getvalue() == ""


@pytest.mark.anyio
async def test_neither_pattern_nor_did_nor_path_of_a_stranger_is_logged() -> None:
    stream = io.StringIO()
    async with front() as client:
        configure_logs("DEBUG", "json", stream)
        await client.post("/predict", json=request_body(did=DID))
        await client.post("/predict", json=request_body(did=DID + "!"))
        await client.get(f"/history/{DID}")
        await client.post(f"/predict?did={DID}", json=[])
    written = [line for line in lines(stream) if line.get("event") == "request"]
    assert [line["route"] for line in written] == ["/predict", "/predict", "unmatched", "/predict"]
    assert [line["status"] for line in written] == [200, 400, 404, 400]
    expected = {"event", "route", "method", "status", "duration_ms", "level", "timestamp"}
    assert {key for line in written for key in line} == expected

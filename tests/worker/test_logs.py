"""The workers' log, as it stands in standard error."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from worker.logs import configure


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leaves the process's logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def fail_in_a_library() -> None:
    try:
        raise RuntimeError("why")
    except RuntimeError:
        logging.getLogger("celery.beat").exception("a %s", "word")


def only_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().err.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_librarys_trace_is_text_within_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")
    fail_in_a_library()
    line = only_line(capsys)
    assert (line["event"], line["level"]) == ("a word", "error")
    assert line["exception"].startswith("Traceback (most recent call last):")
    assert line["exception"].endswith("RuntimeError: why")
    assert "exc_info" not in line


def test_our_own_trace_is_text_within_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")
    try:
        raise RuntimeError("why")
    except RuntimeError:
        structlog.get_logger().exception("failed", queue="online")
    line = only_line(capsys)
    assert (line["event"], line["queue"]) == ("failed", "online")
    assert line["exception"].endswith("RuntimeError: why")


def test_a_trace_for_people_stands_below_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "text")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fail_in_a_library()
    first, *rest = capsys.readouterr().err.splitlines()
    assert "a word" in first
    assert rest[-1].endswith("RuntimeError: why")


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING", "json")
    logging.getLogger("celery").info("quiet")
    logging.getLogger("celery").warning("loud")
    assert only_line(capsys)["event"] == "loud"


def test_the_lines_that_quote_scores_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")
    logging.getLogger("celery.app.trace").info("succeeded: 97")
    assert capsys.readouterr().err == ""

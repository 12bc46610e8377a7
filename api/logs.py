"""Log lines: one event a line, as JSON or as text. No pattern and no DID is ever put into one."""

from __future__ import annotations

import logging
import sys
from functools import lru_cache
from typing import Any, TextIO

import structlog
from pydantic_core import to_json
from structlog.typing import EventDict, Processor, WrappedLogger


class _Handler(logging.StreamHandler[TextIO]):
    """Known by its type, so that configuring twice does not write twice."""


def configure_logs(level: str, form: str, stream: TextIO | None = None) -> None:
    """Sends this service's events, and those of the libraries, to `stream` (standard error) in one form.

    `level` is a name of the logging module, `form` is "json" or "text".
    """
    stream = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: list[Processor] = (
        [_as_json] if form == "json" else [structlog.dev.ConsoleRenderer(colors=False)]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,  # an application may be made twice in one process
    )
    _send_libraries_there(number, shared, last, stream)


def enabled(level: int) -> bool:
    """Whether a line of this level is written at all; asking a logger that is not bound costs ten times as much."""
    return _writes(structlog.get_config()["wrapper_class"], level)


@lru_cache
def _writes(logger: type[Any], level: int) -> bool:
    return bool(logger(None, [], {}).is_enabled_for(level))


def _send_libraries_there(
    level: int, shared: list[Processor], last: list[Processor], stream: TextIO
) -> None:
    handler = _Handler(stream)
    remove_meta: Processor = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[remove_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)] + [
        handler
    ]
    root.setLevel(max(level, logging.INFO))  # the libraries' DEBUG lines may quote messages
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its INFO lines quote callback URLs


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> Any:
    return to_json(event, fallback=repr).decode()

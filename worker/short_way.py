"""The short way of a scoring message through a Celery worker: from the queue's bytes to the answer, past its layers.

kombu's and Celery's layers cost a message 0.6 ms of the processor: a message object, a request, a tracer, promises, a
context. An ordinary scoring message needs none of them. Whatever is unusual about one (another task, an expiry that has
passed, a revoked id, arguments of another shape, an error of the scoring) goes the long way, where Celery deals with it
as ever. Flower hears the same three events of either.
"""

from __future__ import annotations

import logging
import time
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog
from celery import Celery
from celery.bootsteps import StartStopStep
from celery.states import SUCCESS
from celery.worker import state
from pydantic_core import from_json

from worker.answer_store import AnswerStore
from worker.contract import SCORE_TASK
from worker.outcome import Outcome
from worker.turn import Turn

# A message that asks Celery for something beyond one plain call has another value of one of these.
USUAL_HEADERS: Final = {
    "task": SCORE_TASK,
    "eta": None,
    "group": None,
    "retries": 0,
    "timelimit": [None, None],
    "ignore_result": False,
}
USUAL_CONTENT: Final = {"content-type": "application/json", "content-encoding": "utf-8"}

# Answered messages: more than a worker answers while one of them has not expired.
REMEMBERED: Final = 4096

Tell = Callable[..., None]


class ShortWay:
    """Answers ordinary scoring messages by `turn`, through `store`."""

    def __init__(
        self, turn: Turn, store: AnswerStore, clock: Callable[[], float] = time.time
    ) -> None:
        self._turn = turn
        self._store = store
        self._clock = clock
        self._log = logging.getLogger("celery.app.trace")
        self._answered: OrderedDict[str, None] = OrderedDict()  # ids, the oldest first
        self.tell: Tell | None = None
        """What Celery's events are sent with, while anybody is to hear them."""
        self.ask_next: Callable[[], None] = nothing
        """Has the broker look for the next message while the end of this one is dealt with."""

    def take(self, item: bytes) -> bool:
        """Answer the message. False, and nothing done, for one that must go the long way."""
        began = self._clock()
        found = ordinary(item, began)
        if found is None or found["id"] in state.revoked:
            return False
        if found["id"] in self._answered:
            # A front end whose connection breaks sends again. A second answer would call the first one's a replay.
            structlog.get_logger().warning("message_came_twice", task_id=found["id"])
            return True
        try:
            outcome = self._turn.answer(found["message"])
        except Exception:  # it fails again the long way, where Celery tells everybody
            return False
        self._store.send_off(found["id"], outcome.text())
        self._finish(outcome)
        try:
            self._store.confirm()
        except Exception:
            structlog.get_logger().exception("answer_lost", task_id=found["id"])
        else:
            self._remember(found["id"])
        self._account(found["id"], began)
        return True

    def _finish(self, outcome: Outcome) -> None:
        """What is sent goes first: the servers work on it, and on the next message, while this worker counts."""
        try:
            self._turn.write(outcome)
            if state.should_stop is None and state.should_terminate is None:
                self.ask_next()
            self._turn.finish(outcome)
        except Exception:
            structlog.get_logger().exception("aftermath_failed")

    def _remember(self, task_id: str) -> None:
        self._answered[task_id] = None
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)

    def _account(self, task_id: str, began: float) -> None:
        """What Celery tells of a task that succeeded: to its counts, to Flower and to the log."""
        state.total_count[SCORE_TASK] += 1
        state.all_total_count[0] += 1
        runtime = self._clock() - began
        if self.tell is not None:
            hidden = {"args": "(pattern)", "kwargs": "{}", "root_id": task_id, "parent_id": None}
            self.tell(
                "task-received", uuid=task_id, name=SCORE_TASK, timestamp=began, retries=0, **hidden
            )
            self.tell("task-started", uuid=task_id, timestamp=began)
            self.tell("task-succeeded", uuid=task_id, result=SUCCESS, runtime=runtime)
        if self._log.isEnabledFor(logging.INFO):
            self._log.info("Task %s[%s] succeeded in %ss", SCORE_TASK, task_id, runtime)


def ordinary(item: bytes, now: float) -> dict[str, Any] | None:
    """The `id` and the `message` of one plain call of the scoring task that has not expired; None for all else."""
    try:
        envelope = from_json(item)
        headers, properties = envelope["headers"], envelope["properties"]
        task_id, expires = headers["id"], headers["expires"]
        if not (
            USUAL_HEADERS.items() <= headers.items()
            and USUAL_CONTENT.items() <= envelope.items()
            and not headers.get("stamped_headers")
            and isinstance(task_id, str)
            and properties["body_encoding"] == "base64"
            and (expires is None or now <= datetime.fromisoformat(expires).timestamp())
        ):
            return None
        [[message], options, embedded] = from_json(b64decode(envelope["body"], validate=True))
        if options or any(embedded.values()) or not isinstance(message, dict):
            return None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    return {"id": task_id, "message": message}


def nothing() -> None:
    """The broker is asked by Celery's loop alone."""


def open_short_way(app: Celery, turn: Turn) -> None:
    """Have the worker of `app` ask the short way first, whenever it has connected to its broker."""
    short_way = ShortWay(turn, app.backend)

    class Step(StartStopStep):  # type: ignore[misc]  # Celery is untyped
        requires = ("celery.worker.consumer.tasks:Tasks",)

        def start(self, consumer: Any) -> None:
            dispatcher = consumer.event_dispatcher
            short_way.tell = dispatcher and dispatcher.send
            channel = consumer.task_consumer.channel
            channel.short_way = short_way.take
            short_way.ask_next = channel.ask_next

    app.steps["consumer"].add(Step)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from worker.consumer import EVENTS_SECONDS, MAX_EVENTS, Consumer


class Hub:
    """Keeps what it was asked to call later."""

    def __init__(self) -> None:
        self.later: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.later.append((seconds, callback))


class Dispatcher:
    """Counts how often events were sent."""

    buffer_limit = 24
    sent = 0

    def flush(self) -> None:
        self.sent += 1


def consumer() -> tuple[Any, Hub, Dispatcher]:
    made: Any = Consumer.__new__(Consumer)  # without a broker
    made._events_due = False
    made.hub, made.event_dispatcher = Hub(), Dispatcher()
    return made, made.hub, made.event_dispatcher


def test_events_of_many_tasks_are_sent_together() -> None:
    made, hub, dispatcher = consumer()
    for _ in range(30):
        made.on_send_event_buffered()
    assert [seconds for seconds, _ in hub.later] == [EVENTS_SECONDS]
    assert dispatcher.buffer_limit == MAX_EVENTS
    hub.later[0][1]()
    assert dispatcher.sent == 1


def test_events_that_come_after_a_sending_are_sent_too() -> None:
    made, hub, dispatcher = consumer()
    for _ in range(2):
        made.on_send_event_buffered()
        hub.later[-1][1]()
    assert dispatcher.sent == len(hub.later) == 2

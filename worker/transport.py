"""The broker's transport for workers: a message that cannot be read is logged and dropped, and takes nobody down.

kombu lets a message that is no JSON, or no envelope, end the consumer; it then puts some of them back as the worker
dies, so that the next worker meets them again. Whoever can write to the broker could stop the service for good.

What the broker answers instead of a message (READONLY and UNBLOCKED as it becomes a replica, MISCONF where its disk is
full) ends a worker of kombu's, too. Here it ends the connection, and Celery connects again, to the new master.

A message that waits behind another is taken without a round of Celery's loop between the two, which costs a third of
a small message: the broker is asked for it when the answer to the other one has left.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty
from typing import Any

import structlog
from kombu.transport.redis import Channel as RedisChannel
from kombu.transport.redis import Transport as RedisTransport
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads
from redis.exceptions import ResponseError

ASIDE_SECONDS = 0.02  # then Celery's loop has its turn: timers, events, remote control, the end
NEXT_SECONDS = 0.001  # a round trip to the broker takes less, where something waits there


class Channel(RedisChannel):
    """A channel that goes on after what is no JSON. Raises the broker's connection errors as kombu does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        # Without acknowledgement bookkeeping nothing is owed to a message that its worker died of.
        self.do_restore = self.ack_emulation

    short_way: Callable[[bytes], bool] | None = None
    """Asked first about each message's bytes, where it is set; True where it has dealt with them."""

    _aside_until = 0.0  # by the monotonic clock

    def ask_next(self) -> None:
        """Have the broker send the next message, for a worker that begins it at once.

        Nothing is asked when Celery's loop is due: a message must not wait here while another worker is free.
        """
        if (
            time.monotonic() >= self._aside_until
            or self._in_poll
            or not self.active_queues
            or not self.qos.can_consume()
            or self.client.connection._sock is None  # the loop has to learn of another socket
        ):
            return
        try:
            self._brpop_start()  # type: ignore[no-untyped-call]
        except self.connection_errors:
            self.client.connection.disconnect()  # the loop connects again
            self._in_poll = None  # type: ignore[assignment]

    def _brpop_read(self, **options: Any) -> Any:
        """As kombu's, with the short way before it, and with what already waits behind a message after it."""
        self._aside_until = 0.0 if self._closing else time.monotonic() + ASIDE_SECONDS
        try:
            self._read_one(**options)
            while self._in_poll and self._next_is_here():
                self._read_one(**options)
        finally:
            self._aside_until = 0.0
        return True

    def _next_is_here(self) -> bool:
        try:
            return bool(self.client.connection.can_read(timeout=NEXT_SECONDS))
        except self.connection_errors:
            return True  # reading tells

    def _read_one(self, **options: Any) -> None:
        try:
            popped = self._popped(**options)
        finally:
            self._in_poll = None  # type: ignore[assignment]
            self._flush_brpop_reauth()  # type: ignore[no-untyped-call]
        if not popped:
            raise Empty
        try:
            key, item = popped
            if self.short_way is None or not self.short_way(item):
                queue = bytes_to_str(key).rsplit(self.sep, 1)[0]  # type: ignore[no-untyped-call]
                self._queue_cycle.rotate(queue)
                self.connection._deliver(loads(bytes_to_str(item)), queue)  # type: ignore[no-untyped-call]
        except (ValueError, RecursionError) as error:  # what is not JSON, not UTF-8, or too deep
            structlog.get_logger().error("message_dropped", error=repr(error)[:200])
            raise Empty from error

    def _popped(self, **options: Any) -> Any:
        try:
            return self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors:
            self.client.connection.disconnect()  # the next round connects again
            raise


class Transport(RedisTransport):
    """Delivers to the worker; whatever but the broker's own errors a message raises there ends with the message."""

    Channel = Channel

    connection_errors = (*RedisTransport.connection_errors, ResponseError)

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            super()._deliver(message, queue)  # type: ignore[no-untyped-call]
        except self.connection_errors:
            raise
        except Exception as error:
            structlog.get_logger().error("message_dropped", error=repr(error)[:200], exc_info=True)
            self._forget(message)

    def _forget(self, message: Any) -> None:
        """Free the place that the message took among those delivered: while one is, a solo worker takes no other."""
        properties = message.get("properties") if isinstance(message, dict) else None
        tag = properties.get("delivery_tag") if isinstance(properties, dict) else None
        for channel in self.channels:
            if isinstance(tag, str) and tag in channel.qos._delivered:
                channel.basic_ack(tag)

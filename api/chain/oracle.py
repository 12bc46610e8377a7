"""Answers questions: one inference for each within its window, however many ask, in however many processes.

A question that is being answered here is a flight; whoever asks the same joins it. Between processes the lock of
`api.chain.window` decides who scores. What was given out is remembered until its window ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import structlog

from api.chain.answer import Signer, whole
from api.chain.judge import Judge
from api.chain.question import Question
from api.chain.verdict import Verdict
from api.chain.window import Stored, Taken, Window, Yours
from api.errors import ApiError, DeadlineExceededError, InternalError

CUT_SECONDS: Final = 1.5  # an off-chain worker waits two seconds in all
LOOK_AGAIN_SECONDS: Final = 0.015
MAX_REMEMBERED: Final = 10_000  # half a kilobyte each


class Oracle:
    """One oracle's answers. `monotonic` tells seconds, `token` a name that nobody else has."""

    def __init__(
        self,
        judge: Judge,
        window: Window,
        signer: Signer,
        *,
        monotonic: Callable[[], float],
        token: Callable[[], str],
    ) -> None:
        self._judge = judge
        self._window = window
        self._signer = signer
        self._monotonic = monotonic
        self._token = token
        self._flights: dict[str, asyncio.Task[bytes | ApiError]] = {}
        self._remembered: dict[str, tuple[bytes, float]] = {}  # answer, monotonic end of its window

    async def answer(self, question: Question, ends: float) -> bytes:
        """The answer's bytes, by `ends` (monotonic). Raises ApiError: why there is none."""
        rest = self._recall(question)
        if rest is None:
            rest = await self._join(question, ends)
        return whole(question, rest)

    async def close(self) -> None:
        """Give up what is under way."""
        for flight in self._flights.values():
            flight.cancel()
        await asyncio.gather(*self._flights.values(), return_exceptions=True)

    async def _join(self, question: Question, ends: float) -> bytes:
        flight = self._flights.get(question.digest)
        if flight is None:
            flight = asyncio.create_task(self._fly(question))
            self._flights[question.digest] = flight
            flight.add_done_callback(lambda _: self._flights.pop(question.digest, None))
        # A node that leaves must not take the others' answer with it.
        await asyncio.wait((flight,), timeout=max(0.0, ends - self._monotonic()))
        if not flight.done() or flight.cancelled():
            raise _too_late()
        outcome = flight.result()
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome

    async def _fly(self, question: Question) -> bytes | ApiError:
        """Never raises: nobody may be waiting any more."""
        try:
            async with asyncio.timeout(CUT_SECONDS):
                return await self._find(question)
        except TimeoutError:
            return _too_late()
        except ApiError as error:
            return error
        except Exception:
            structlog.get_logger().exception("chain_answer_failed")
            return InternalError()

    async def _find(self, question: Question) -> bytes:
        token = self._token()
        while True:
            asked = self._monotonic()
            found = await self._window.claim(question, token)
            if isinstance(found, Taken):
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                continue
            if isinstance(found, Yours):
                found = await self._score(question, token)
            if isinstance(found, Verdict):
                asked = self._monotonic()
                rest = self._signer.answer(question, found)
                published = await self._window.publish(question, found, rest, token)
                if published is None:
                    continue
                found = published
            self._remember(question, found, asked)
            return found.rest

    async def _score(self, question: Question, token: str) -> Verdict:
        """A failure ends the lock, so that the next who asks need not wait for its end."""
        try:
            return await self._judge.judge(question)
        except ApiError:
            with contextlib.suppress(ApiError):
                await self._window.release(question, token)
            raise

    def _recall(self, question: Question) -> bytes | None:
        rest, ends = self._remembered.get(question.digest, (b"", 0.0))
        return rest if self._monotonic() < ends else None

    def _remember(self, question: Question, stored: Stored, asked: float) -> None:
        """Counted from before the store was asked, so that this memory ends before the store's."""
        now = self._monotonic()
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered = {
                digest: kept for digest, kept in self._remembered.items() if kept[1] > now
            }
        if len(self._remembered) < MAX_REMEMBERED:
            self._remembered[question.digest] = (stored.rest, asked + stored.life_ms / 1000)


def _too_late() -> ApiError:
    return DeadlineExceededError(f"no answer within {CUT_SECONDS:g} seconds; try again")

"""Tells the callers' own servers of ended jobs: signed, tried again until one of them takes it, never redirected."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

import httpx
import structlog

from api.errors import ApiError
from api.jobs.outbox import Call, Outbox
from api.jobs.target import Target, TargetError, Targets
from api.version import VERSION

POLL_SECONDS: Final = 1.0
TRY_SECONDS: Final = 10.0  # in all, from the look-up to the status
CALLS_AT_ONCE: Final = 8
_log = structlog.get_logger("api.jobs.courier")


class Courier:
    """One front end's deliveries. `clock` tells Unix seconds.

    `body` makes what is sent; it raises TargetError where the job has not ended, or no longer as the call says.
    """

    def __init__(
        self,
        outbox: Outbox,
        targets: Targets,
        key: bytes,
        body: Callable[[Call], Awaitable[bytes]],
        clock: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._targets = targets
        self._key = key
        self._body = body
        self._clock = clock
        self._calls: set[asyncio.Task[None]] = set()
        self._round: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for what is due."""
        self._round = asyncio.create_task(self._go_round())

    async def close(self) -> None:
        """Stop. What is under way is tried again, here or elsewhere, when its lease has ended."""
        going = [*self._calls, *([self._round] if self._round else [])]
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    async def _go_round(self) -> None:
        # Environment variables for proxies are not heeded: a proxy would connect where nobody has judged the address.
        client = httpx.AsyncClient(
            verify=ssl.create_default_context(), trust_env=False, timeout=TRY_SECONDS
        )
        async with client:
            while True:
                try:
                    await self._begin_what_is_due(client)
                except ApiError as error:
                    _log.warning("callbacks_wait", error=error.detail)
                except Exception:
                    _log.exception("callbacks_wait")
                await asyncio.sleep(POLL_SECONDS)

    async def _begin_what_is_due(self, client: httpx.AsyncClient) -> None:
        while len(self._calls) < CALLS_AT_ONCE:
            call = await self._outbox.take()
            if call is None:
                return
            task = asyncio.create_task(self._deliver(client, call))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _deliver(self, client: httpx.AsyncClient, call: Call) -> None:
        """Never raises but when cancelled."""
        log = _log.bind(job=call.job_id, tries=call.tries)
        try:
            error = await self._try(client, call)
            state = await self._outbox.settle(call, error)
        except Exception:
            log.exception("callback_not_settled")  # its lease will end
        else:
            log.info("callback", state=state, error=error)

    async def _try(self, client: httpx.AsyncClient, call: Call) -> str:
        """Why it was not delivered; empty when it was."""
        try:
            async with asyncio.timeout(TRY_SECONDS):
                target = await self._targets.resolve(call.url)
                body = await self._body(call)
                status = await _post(client, target, self._headers(call, body), body)
        except TargetError as error:
            return str(error)
        except (TimeoutError, httpx.TimeoutException):
            return f"no answer within {TRY_SECONDS:g} seconds"
        except (OSError, httpx.HTTPError, httpx.InvalidURL):
            return "no connection, or it broke off"
        except (
            Exception
        ):  # a name that cannot be encoded, say: what is not settled would be tried for ever
            _log.exception("callback_failed", job=call.job_id)
            return "it could not be sent; the service's log has the cause"
        return "" if 200 <= status < 300 else f"the answer was {status}, not 2xx"

    def _headers(self, call: Call, body: bytes) -> dict[str, str]:
        seconds = int(self._clock())
        return {
            "Content-Type": "application/json",
            "User-Agent": f"behavioral-biometrics/{VERSION}",
            "Webhook-Id": call.name,
            "Webhook-Timestamp": str(seconds),
            "Webhook-Signature": signature(self._key, call.name, seconds, body),
        }


def signature(key: bytes, name: str, unix_seconds: int, body: bytes) -> str:
    """HMAC-SHA256 in Base64 over `name.unix_seconds.body`, as www.standardwebhooks.com, version 1, has it."""
    message = b"%b.%d.%b" % (name.encode(), unix_seconds, body)
    digest = hmac.new(key, message, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


async def _post(
    client: httpx.AsyncClient, target: Target, headers: dict[str, str], body: bytes
) -> int:
    """The answer's status; its body is not read, and a redirection is a status like others."""
    named = {**headers, "Host": target.host_header}
    extensions = {"sni_hostname": target.host} if target.scheme == "https" else {}
    request = client.build_request(
        "POST", target.url, headers=named, content=body, extensions=extensions
    )
    answer = await client.send(request, stream=True, follow_redirects=False)
    with contextlib.suppress(httpx.HTTPError):
        await answer.aclose()
    return answer.status_code

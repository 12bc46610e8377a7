"""HTTPS only: a request in the clear is refused, not redirected, since its body has been seen by then."""

from __future__ import annotations

from collections.abc import Set

from starlette.types import Scope

from api.errors import HttpsRequiredError

EXEMPT = frozenset({"/health"})  # load balancers ask inside the cluster, in the clear


class HttpsOnly:
    """Lets pass what came by https, as the server or a trusted proxy's X-Forwarded-Proto says.

    `exempt` adds paths that another check guards.
    """

    def __init__(self, exempt: Set[str] = frozenset()) -> None:
        self._exempt = EXEMPT | exempt

    async def __call__(self, scope: Scope) -> None:
        """Raises HttpsRequiredError."""
        if scope["scheme"] != "https" and scope["path"] not in self._exempt:
            raise HttpsRequiredError

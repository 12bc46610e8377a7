"""HTTPS only: a request in the clear is refused, not redirected, since its body has been seen by then."""

from __future__ import annotations

from starlette.types import Scope

from api.errors import HttpsRequiredError

EXEMPT = frozenset({"/health"})  # load balancers ask inside the cluster, in the clear


class HttpsOnly:
    """Lets pass what came by https, as the server or a trusted proxy's X-Forwarded-Proto says."""

    async def __call__(self, scope: Scope) -> None:
        """Raises HttpsRequiredError."""
        if scope["scheme"] != "https" and scope["path"] not in EXEMPT:
            raise HttpsRequiredError

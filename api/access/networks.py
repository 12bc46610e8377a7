"""The allow-list of networks that may read the operations pages.

Where there is one, `/metrics` needs neither https nor an API key: Prometheus asks inside the network, in the clear, and
the list already says who may.
"""

from __future__ import annotations

from starlette.types import Scope

from api.access.client import client_address
from api.errors import ForbiddenError
from api.settings import Network

OPERATIONS = frozenset({"/metrics", "/stats", "/dead-letters"})
SCRAPED = frozenset({"/metrics"})


class OperationsNetworks:
    """Lets pass what is no operations page, or comes from one of the networks."""

    def __init__(self, networks: tuple[Network, ...]) -> None:
        self._networks = networks

    async def __call__(self, scope: Scope) -> None:
        """Raises ForbiddenError, also where the client has no address."""
        if "/" + scope["path"].lstrip("/").partition("/")[0] not in OPERATIONS:
            return
        address = client_address(scope)
        if address is None or not any(address in network for network in self._networks):
            raise ForbiddenError

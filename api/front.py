"""FastAPI with a short way for its busiest routes.

A request for such a route passes the same middleware to the same endpoint, but neither the framework's own layers nor
its router: they cost more than reading, checking and answering the request. Everything else about the route (its
documentation, other methods, other paths) stays the framework's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]

METHOD: Final = "POST"


class Front(FastAPI):
    """An application whose `shorten`ed routes are looked for before its router."""

    _short: dict[str, APIRoute]

    def shorten(self, router: APIRouter) -> None:
        """Take the short way to each POST route of `router`, whose endpoints take the request and give a response.

        Call it before the first request.
        """
        routes = [route for route in router.routes if isinstance(route, APIRoute)]
        self._short = {route.path: route for route in routes if METHOD in (route.methods or ())}

    def build_middleware_stack(self) -> ASGIApp:
        """The framework's layers, and beside them one way through this application's own."""
        short = {path: self._short_way(route) for path, route in self._short.items()}
        return _Fork(short, super().build_middleware_stack())

    def _short_way(self, route: APIRoute) -> ASGIApp:
        way: ASGIApp = _Straight(route)
        for layer in reversed(self.user_middleware):
            way = layer.cls(way, *layer.args, **layer.kwargs)
        return way


class _Fork:
    """The short way for whom there is one, the long way for everybody else."""

    def __init__(self, short: dict[str, ASGIApp], long: ASGIApp) -> None:
        self._short = short
        self.app = long  # the name under which the framework looks for what lies below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self.app
        if scope["type"] == "http" and scope["method"] == METHOD and not scope.get("root_path"):
            way = self._short.get(scope["path"], way)
        await way(scope, receive, send)


class _Straight:
    """One route's endpoint; tells the layers around it, as the router does, which route it was."""

    def __init__(self, route: APIRoute) -> None:
        self._route = route
        self._endpoint: Endpoint = route.endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self._route
        scope["endpoint"] = self._endpoint
        response = await self._endpoint(Request(scope, receive, send))
        await response(scope, receive, send)

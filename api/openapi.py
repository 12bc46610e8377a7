"""The documentation at `/docs` and `/openapi.json`: bodies, examples and keys as they really are.

The scoring routes read raw bytes, so the framework knows nothing of their bodies: they are described here, from the
same models that validate them.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from api.access.keys import HEADER, OPEN
from api.chain.question import BODY, CHAIN_EXAMPLE
from api.documented import HEADERS, unhealthy_example
from api.schemas import BATCH, BATCH_EXAMPLE, JOB, PREDICT, PREDICT_EXAMPLE

DESCRIPTION: Final = """
Tells whether the person typing is the person behind a DID: a session's typing rhythm is weighed against the sessions
that the service has recorded of that DID, or that the caller brings.

Every error has the same form, `{"detail", "error_code", "path"}`. `/predict`, `/batch-predict` and `/chain/score` are
limited for each client (100 requests a second and 1,000 a minute unless configured otherwise; a batch counts as one
request) and say so in the `RateLimit-*` headers. Bodies are JSON whatever their Content-Type says.
"""

_COMPONENT: Final = "#/components/schemas/{model}"
_KEY_SCHEME: Final = {
    "type": "apiKey",
    "in": "header",
    "name": HEADER,
    "description": "Needed where the operator has configured keys, for all but "
    + ", ".join(sorted(OPEN))
    + ".",
}
_BODIES: Final[dict[str, tuple[TypeAdapter[Any], Any]]] = {
    "/predict": (PREDICT, PREDICT_EXAMPLE),
    "/batch-predict": (BATCH, BATCH_EXAMPLE),
    "/chain/score": (BODY, CHAIN_EXAMPLE),
    "/jobs": (JOB, BATCH_EXAMPLE),
}


def describe(app: FastAPI, *, keys_needed: bool) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the application's routes."""
    document = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes
    )
    components = document["components"]
    components["headers"] = HEADERS
    components["securitySchemes"] = {"ApiKey": _KEY_SCHEME}
    schemas, definitions = _body_schemas()
    components["schemas"] |= definitions
    for path, (_, example) in _BODIES.items():
        content = {"application/json": {"schema": schemas[path], "example": example}}
        document["paths"][path]["post"]["requestBody"] = {"required": True, "content": content}
    lines = {"schema": {"type": "string", "description": "One pattern on each line."}}
    document["paths"]["/jobs"]["post"]["requestBody"]["content"]["application/x-ndjson"] = lines
    refusal = document["paths"]["/health"]["get"]["responses"]["503"]
    refusal["content"]["application/json"]["example"] = unhealthy_example()
    _drop_validation_errors(document)
    if keys_needed:
        _need_keys(document["paths"])
    return document


def _body_schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    schemas, rest = TypeAdapter.json_schemas(
        [(path, "validation", adapter) for path, (adapter, _) in _BODIES.items()],
        ref_template=_COMPONENT,
    )
    return {path: schema for (path, _), schema in schemas.items()}, rest["$defs"]


def _drop_validation_errors(document: dict[str, Any]) -> None:
    """The framework promises a 422 wherever a path has a parameter; this service answers 404 or 400."""
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _need_keys(paths: dict[str, Any]) -> None:
    for path, operations in paths.items():
        if path not in OPEN:
            for operation in operations.values():
                operation["security"] = [{"ApiKey": []}]

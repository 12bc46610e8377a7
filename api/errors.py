"""Every error that the front end answers with, and the table from code to HTTP status.

```
ApiError
├── InvalidInputError          400 INVALID_INPUT
├── UnauthorizedError          401 UNAUTHORIZED
├── ForbiddenError             403 FORBIDDEN
├── HttpsRequiredError         403 HTTPS_REQUIRED
├── NotFoundError              404 NOT_FOUND
├── ChainOffError              404 CHAIN_OFF
├── MethodNotAllowedError      405 METHOD_NOT_ALLOWED
├── RequestTimeoutError        408 REQUEST_TIMEOUT
├── HistoryRequiredError       409 HISTORY_REQUIRED
├── ConflictError              409 IDEMPOTENCY_CONFLICT
├── BodyTooLargeError          413 BODY_TOO_LARGE
├── RateLimitedError           429 RATE_LIMITED
├── InternalError              500 INTERNAL_ERROR
├── InferenceFailedError       500 INFERENCE_ERROR
├── UnavailableError           503, always with Retry-After
│   ├── ModelNotLoadedError        MODEL_NOT_LOADED
│   ├── QueueUnavailableError      QUEUE_UNAVAILABLE
│   ├── HistoryUnavailableError    HISTORY_UNAVAILABLE
│   ├── OverloadedError            OVERLOADED
│   └── UnsupportedMessageError    UNSUPPORTED_MESSAGE
├── DeadlineExceededError      504 DEADLINE_EXCEEDED
└── StorageFullError           507 STORAGE_FULL
```

`detail` is read by strangers: it says what to do and holds no trace, no DID and no unbounded input.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from worker.contract import ErrorCode


class ApiError(Exception):
    """The root: an answer that is not the one asked for. `detail` goes to the client as it is."""

    status: ClassVar[int]
    code: ClassVar[ErrorCode]
    sentence: ClassVar[str]  # the detail where the raiser knows no better one
    default_retry_after_seconds: ClassVar[int | None] = None

    def __init__(
        self,
        detail: str | None = None,
        *,
        retry_after_seconds: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.detail = self.sentence if detail is None else detail
        super().__init__(self.detail)
        self.headers = dict(headers or {})
        wait_seconds = (
            self.default_retry_after_seconds if retry_after_seconds is None else retry_after_seconds
        )
        if wait_seconds is not None:
            self.headers["Retry-After"] = str(wait_seconds)


class InvalidInputError(ApiError):
    """Raised when a body is no JSON, or a field of it is missing, unknown or out of range."""

    status = HTTPStatus.BAD_REQUEST
    code = ErrorCode.INVALID_INPUT
    sentence = "the request is not valid; /docs describes what is"


class UnauthorizedError(ApiError):
    """Raised when keys are configured and a request brings none of them."""

    status = HTTPStatus.UNAUTHORIZED
    code = ErrorCode.UNAUTHORIZED
    sentence = "send a valid key in the X-API-Key header"


class ForbiddenError(ApiError):
    """Raised when an operations page is asked for from a network that is not on the allow-list."""

    status = HTTPStatus.FORBIDDEN
    code = ErrorCode.FORBIDDEN
    sentence = "this page is open to the operator's networks only (OPERATIONS_NETWORKS)"


class HttpsRequiredError(ApiError):
    """Raised when the service is set to HTTPS only and a request came in the clear."""

    status = HTTPStatus.FORBIDDEN
    code = ErrorCode.HTTPS_REQUIRED
    sentence = "this service answers over https only; send the request to its https address"


class NotFoundError(ApiError):
    """Raised when no route has the path."""

    status = HTTPStatus.NOT_FOUND
    code = ErrorCode.NOT_FOUND
    sentence = "no such path; /docs lists those that exist"


class ChainOffError(ApiError):
    """Raised when the chain's door is asked and no signing key is configured."""

    status = HTTPStatus.NOT_FOUND
    code = ErrorCode.CHAIN_OFF
    sentence = (
        "this service signs no answers; its operator can make a key with scripts/make_chain_key.py"
        " and set CHAIN_KEY_FILE and CHAIN_ORACLE_ID"
    )


class HistoryRequiredError(ApiError):
    """Raised when the chain asks about a DID with fewer recorded patterns than CHAIN_REQUIRE_HISTORY."""

    status = HTTPStatus.CONFLICT
    code = ErrorCode.HISTORY_REQUIRED
    sentence = "too few patterns of this DID are recorded to give a score; none is made up"


class MethodNotAllowedError(ApiError):
    """Raised when the path exists and its method does not; the Allow header lists those that do."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = ErrorCode.METHOD_NOT_ALLOWED
    sentence = "this path does not know the method; the Allow header lists those that it knows"


class RequestTimeoutError(ApiError):
    """Raised when a client does not finish sending its body in time."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = ErrorCode.REQUEST_TIMEOUT
    sentence = "the body did not arrive in time; send the request again"


class ConflictError(ApiError):
    """Raised when an Idempotency-Key, or the content without one, stands for a job that was sent otherwise."""

    status = HTTPStatus.CONFLICT
    code = ErrorCode.IDEMPOTENCY_CONFLICT
    sentence = (
        "this Idempotency-Key, or this content without one, was sent with other patterns or another callback_url"
        " before; take another key"
    )


class BodyTooLargeError(ApiError):
    """Raised when a body is longer than MAX_BODY_BYTES, as declared or as counted."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = ErrorCode.BODY_TOO_LARGE
    sentence = "the body is too large; send fewer patterns at once"


class RateLimitedError(ApiError):
    """Raised when a client has used up one of its RATE_LIMITS."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = ErrorCode.RATE_LIMITED
    sentence = "too many requests; wait for the seconds in Retry-After"
    default_retry_after_seconds = 1


class InternalError(ApiError):
    """Raised when nothing else fits: an exception that nobody expected. The trace is in the log."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = ErrorCode.INTERNAL_ERROR
    sentence = "something went wrong inside the service; its log has the cause"


class InferenceFailedError(ApiError):
    """Raised when a worker took the pattern and failed at scoring it."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = ErrorCode.INFERENCE_ERROR
    sentence = "the pattern could not be scored; the worker's log has the cause"


class UnavailableError(ApiError):
    """The service is there, a part of it is not: worth another try after Retry-After."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    default_retry_after_seconds = 1


class ModelNotLoadedError(UnavailableError):
    """Raised when no worker that holds a model is alive, or one answers that it holds none."""

    code = ErrorCode.MODEL_NOT_LOADED
    sentence = "no worker that holds a model answers; start one, or read in its log why it ended"


class QueueUnavailableError(UnavailableError):
    """Raised when the broker or the result store cannot be reached."""

    code = ErrorCode.QUEUE_UNAVAILABLE
    sentence = "the queue cannot be reached; check BROKER_URL and RESULT_URL, or try again"


class HistoryUnavailableError(UnavailableError):
    """Raised when a worker cannot read the histories that the pattern must be compared with."""

    code = ErrorCode.HISTORY_UNAVAILABLE
    sentence = "the store of histories cannot be reached; try again"


class OverloadedError(UnavailableError):
    """Raised when more patterns wait than MAX_WAITING_PATTERNS."""

    code = ErrorCode.OVERLOADED
    sentence = "too many patterns are waiting already; try again, or add a worker"


class UnsupportedMessageError(UnavailableError):
    """Raised when worker and front end speak different versions of the wire (an update)."""

    code = ErrorCode.UNSUPPORTED_MESSAGE
    sentence = "the worker speaks another version of the wire; update both to one release"


class DeadlineExceededError(ApiError):
    """Raised when a pattern was taken and its answer did not come in PREDICT_TIMEOUT_SECONDS."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    code = ErrorCode.DEADLINE_EXCEEDED
    sentence = "the answer did not come in time; try again"


class StorageFullError(ApiError):
    """Raised when the store of jobs takes no more; nothing of the job is kept."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = ErrorCode.STORAGE_FULL
    sentence = "the store of jobs is full and nothing was kept; fetch and delete finished jobs, or try again later"


def error_types() -> dict[ErrorCode, type[ApiError]]:
    """Every code with its class; a class without a code of its own (`UnavailableError`) is none."""
    found: dict[ErrorCode, type[ApiError]] = {}
    waiting = [ApiError]
    while waiting:
        error_type = waiting.pop()
        waiting.extend(error_type.__subclasses__())
        if "code" in vars(error_type):
            found[error_type.code] = error_type
    return found


def error_for(code: str) -> ApiError:
    """The error for a code that came over the wire, with its fixed sentence.

    A code that this release does not know becomes an `InternalError`.
    """
    try:
        return error_types()[ErrorCode(code)]()
    except ValueError:
        return InternalError()

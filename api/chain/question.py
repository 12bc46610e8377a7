"""Reads what an off-chain worker asks, and tells when two requests ask the same.

One object or a list of up to 10. The items of a list stand alone: a pattern that anybody may have put on the chain
must not keep nine others from their scores.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.config import JsonDict
from pydantic_core import from_json

from api.chain.digests import Digests
from api.chain.message import features_bytes
from api.complaint import complain
from api.errors import ApiError, InvalidInputError
from api.identity import Identities
from api.ranges import RANGES

MAX_QUESTIONS: Final = 10

CHAIN_EXAMPLE: Final[JsonDict] = {
    "did": "0x742d35cc6634c0532925a3b844bc9e7595f0beb0000000000000000000000000",
    "features": {
        "typing_speed_wpm": 65,
        "avg_key_hold_time_ms": 120,
        "avg_transition_time_ms": 85,
        "error_rate_percent": 3,
        "activity_hour_preference": 14,
    },
}


# The chain's integers are unsigned.
_LIMITS: Final = {name: replace(each, low=max(0, each.low)) for name, each in RANGES.items()}
_MUST_BE: Final = {name: f"a whole number {limits}" for name, limits in _LIMITS.items()} | {
    "did": "0x and exactly 64 hex digits",
    "features": "an object with the session's whole numbers",
}


def _whole(name: str) -> Any:
    limits = _LIMITS[name]
    return Field(ge=limits.low, le=limits.high, description=f"{limits.meaning}, a whole number.")


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ChainFeatures(_Strict):
    """A session as it stands in the chain's storage: whole numbers only."""

    typing_speed_wpm: Annotated[int, _whole("typing_speed_wpm")]
    avg_key_hold_time_ms: Annotated[int, _whole("avg_key_hold_time_ms")]
    avg_transition_time_ms: Annotated[int, _whole("avg_transition_time_ms")]
    error_rate_percent: Annotated[int, _whole("error_rate_percent")]
    activity_hour_preference: Annotated[int, _whole("activity_hour_preference")]


class ChainRequest(_Strict):
    """One pending pattern."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHAIN_EXAMPLE]})

    did: Annotated[
        str,
        StringConstraints(pattern=r"^0x[0-9A-Fa-f]{64}$"),
        Field(description="0x and exactly 64 hex digits, not all of them zero."),
    ]
    features: ChainFeatures


ChainBody = (
    ChainRequest | Annotated[list[ChainRequest], Field(min_length=1, max_length=MAX_QUESTIONS)]
)
REQUEST: Final = TypeAdapter(ChainRequest)
BODY: Final[TypeAdapter[Any]] = TypeAdapter(ChainBody)


@dataclass(frozen=True)
class Question:
    """One pattern, and the digest that is the same whenever the same is asked (32 hex digits)."""

    did: bytes
    did_hash: str
    features: tuple[int, int, int, int, int]
    digest: str

    def row(self, required: int) -> list[Any]:
        """The row of `worker.contract`'s message; `required` recorded patterns are needed for a score."""
        numbers = [float(number) for number in self.features]
        return [self.did_hash, numbers, None, None, [self.digest[:16], required]]


Item = Question | ApiError


class Questions:
    """Reads bodies."""

    def __init__(self, identities: Identities, digests: Digests) -> None:
        self._identities = identities
        self._digests = digests

    def read(self, body: bytes) -> Question | list[Item]:
        """The question of an object, or the items of a list in order, each a question or what is wrong with it.

        Raises InvalidInputError for a body that is neither, and for an object that is no question.
        """
        try:
            content = from_json(body, allow_inf_nan=False)
        except ValueError:
            raise InvalidInputError("the body is not valid JSON") from None
        if not isinstance(content, list):
            return self._question(content)
        if not 1 <= len(content) <= MAX_QUESTIONS:
            raise InvalidInputError(
                f"the body must be one object or a list of 1 to {MAX_QUESTIONS} (got {len(content)} items)"
            )
        return [self._item(each) for each in content]

    def _item(self, content: Any) -> Item:
        try:
            return self._question(content)
        except InvalidInputError as error:
            return error

    def _question(self, content: Any) -> Question:
        try:
            request = REQUEST.validate_python(content)
        except ValidationError as error:
            raise InvalidInputError(complain(error, must_be=_MUST_BE)) from None
        did = bytes.fromhex(request.did[2:])
        if not any(did):
            raise InvalidInputError(
                "did is all zeros, which stands for nobody: ask with the DID that the pattern belongs to"
            )
        asked = request.features
        features = (
            asked.typing_speed_wpm,
            asked.avg_key_hold_time_ms,
            asked.avg_transition_time_ms,
            asked.error_rate_percent,
            asked.activity_hour_preference,
        )
        did_hash = self._identities.identify(request.did)
        if did_hash is None:
            raise InvalidInputError("did is shortened")
        digest = self._digests.question(did + features_bytes(features))
        return Question(did, did_hash, features, digest)

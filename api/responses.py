"""What the service answers with, for the documentation; the tests hold every answer to these."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from worker.contract import Decision, ErrorCode, Reason

SHARE = Field(ge=0, le=1)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class FeatureImportance(_Answer):
    """How much each feature moved the score; the six add up to 1."""

    typing_speed: float = SHARE
    key_hold_time: float = SHARE
    transition_time: float = SHARE
    error_rate: float = SHARE
    speed_accuracy_ratio: float = SHARE
    rhythm_ratio: float = SHARE


class PredictResponse(_Answer):
    """How sure the service is that the session is its DID's, and why."""

    confidence_score: int = Field(ge=0, le=100, description="50: no evidence either way.")
    anomaly_score: float = Field(ge=0, le=1, description="How unlike a human's session it is.")
    feature_importance: FeatureImportance
    model_version: str
    inference_time_ms: float = Field(ge=0)
    history_used: int = Field(ge=0, description="Earlier patterns it was compared with.")
    history_source: Literal["none", "server", "caller"]
    recorded: bool = Field(description="Whether it entered the DID's history.")
    decision: Decision = Field(
        description="At the operating point that the service is set to: accept, reject, or review"
        " where another factor should decide."
    )
    reasons: list[Reason] = Field(description="What to know beside the number, as codes.")


# What the shipped model answers to the examples of api.schemas where nothing is recorded yet.
ANSWER_EXAMPLE: Final[dict[str, object]] = {
    "confidence_score": 90,
    "anomaly_score": 0.9012,
    "feature_importance": {
        "typing_speed": 0.0809,
        "key_hold_time": 0.3085,
        "transition_time": 0.2328,
        "error_rate": 0.054,
        "speed_accuracy_ratio": 0.0689,
        "rhythm_ratio": 0.2549,
    },
    "model_version": "2.1.0",
    "inference_time_ms": 1.22,
    "history_used": 1,
    "history_source": "caller",
    "recorded": True,
    "decision": "accept",
    "reasons": ["SHORT_HISTORY", "HISTORY_FROM_CALLER"],
}
FIRST_ANSWER_EXAMPLE: Final[dict[str, object]] = {
    "confidence_score": 50,
    "anomaly_score": 0.9012,
    "feature_importance": {
        "typing_speed": 0.1667,
        "key_hold_time": 0.1667,
        "transition_time": 0.1667,
        "error_rate": 0.1667,
        "speed_accuracy_ratio": 0.1666,
        "rhythm_ratio": 0.1666,
    },
    "model_version": "2.1.0",
    "inference_time_ms": 1.8,
    "history_used": 0,
    "history_source": "none",
    "recorded": True,
    "decision": "review",
    "reasons": ["NO_HISTORY"],
}


class ChainAnswer(_Answer):
    """One pattern's signed answer, its keys in this order, without a space; docs/chain.md has the signed bytes."""

    did: str = Field(pattern="^0x[0-9a-f]{64}$")
    confidence_score: int = Field(ge=0, le=100)
    timestamp: int = Field(ge=0, description="Unix seconds.")
    nonce: int = Field(ge=0, lt=2**64)
    signature: str = Field(pattern="^0x[0-9a-f]{128}$")
    public_key: str = Field(pattern="^0x[0-9a-f]{64}$")
    model: str = Field(pattern="^0x[0-9a-f]{16}$", description="Of the SHA-256 of the model.")
    history: str = Field(pattern="^0x[0-9a-f]{16}$", description="Digest of the history.")
    signature_v2: str | None = Field(
        default=None, pattern="^0x[0-9a-f]{128}$", description="Where CHAIN_GENESIS_HASH is set."
    )


CHAIN_ANSWER_EXAMPLE: Final[dict[str, object]] = {
    "did": "0x742d35cc6634c0532925a3b844bc9e7595f0beb0000000000000000000000000",
    "confidence_score": 87,
    "timestamp": 1790000000,
    "nonce": 9008989254740992,
    "signature": "0x" + "5e" * 64,
    "public_key": "0x" + "d7" * 32,
    "model": "0x0123456789abcdef",
    "history": "0xfedcba9876543210",
}


class ChainKey(_Answer):
    """An ed25519 public key of this oracle."""

    public_key: str = Field(pattern="^0x[0-9a-f]{64}$")
    state: Literal["current", "next", "previous"]


class ChainKeysResponse(_Answer):
    """Who signs, and how."""

    oracle_id: int = Field(ge=0, le=2047)
    window_seconds: int = Field(ge=1, le=60)
    genesis_hash: str | None = Field(description="Where signature_v2 is given, its chain.")
    keys: list[ChainKey]


class Refusal(_Answer):
    """Every error, whatever its status."""

    detail: str = Field(description="What is wrong and what to do about it.")
    error_code: ErrorCode
    path: str


class HealthyResponse(_Answer):
    """A worker with a model answered."""

    status: Literal["healthy"]
    model_loaded: Literal[True]
    model_version: str = Field(examples=["2.1.0"])
    device: str = Field(examples=["cpu"])
    uptime_seconds: int = Field(ge=0, examples=[3600])
    version: str = Field(description="The service's own version.", examples=["1.0.0"])


class UnhealthyResponse(Refusal):
    """No worker with a model answered; `detail` says why."""

    status: Literal["unhealthy"]
    model_loaded: Literal[False]
    model_version: None
    device: None
    uptime_seconds: int = Field(ge=0, examples=[3600])
    version: str = Field(examples=["1.0.0"])


class ModelStats(_Answer):
    """The model that the workers hold; version and device are null where none answers."""

    version: str | None = Field(examples=["2.1.0"])
    device: str | None = Field(examples=["cpu"])
    loaded: bool = Field(examples=[True])


class PerformanceStats(_Answer):
    """Over all front ends and workers, since the store was last emptied."""

    total_predictions: int = Field(ge=0, examples=[1543])
    avg_inference_time_ms: float = Field(ge=0, examples=[12.34])
    avg_confidence: Annotated[float, Field(ge=0, le=100)] = Field(examples=[85.67])
    anomalies_detected: int = Field(ge=0, examples=[12])


class SystemStats(_Answer):
    """The machine that this front end runs on."""

    cpu_percent: float = Field(ge=0, examples=[23.5])
    memory_used_mb: float = Field(ge=0, examples=[512.34])
    memory_available_mb: float = Field(ge=0, examples=[7680.12])
    memory_percent: float = Field(ge=0, le=100, examples=[6.2])


class StatsResponse(_Answer):
    """Statistics as JSON."""

    model: ModelStats
    performance: PerformanceStats
    system: SystemStats


class ServiceResponse(_Answer):
    """What this is."""

    service: str = Field(examples=["behavioral-biometrics"])
    version: str = Field(examples=["1.0.0"])
    docs: str = Field(examples=["/docs"])

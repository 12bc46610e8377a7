"""The wire between the front end and the workers: names, messages, error codes, deadlines.

Standard library only, so that both sides can import it without paying for the other's libraries.

A scoring message is JSON: ``{"v": 1, "sent": unix seconds, "deadline": unix seconds, "rows": [row, ...]}`` with one
row per pattern,
``[did_hash, [wpm, hold_ms, transition_ms, error_percent, hour], history or null, windows or null]``, where

- ``did_hash`` is the keyed hash of the DID (hex), or null for a pattern that may neither read nor enter a history;
- ``history`` is what the caller brought, newest first:
  ``[[unix_seconds, wpm, hold_ms, transition_ms, error_percent, windows or null], ...]``;
- ``windows`` are the session's windows in time order, each a flat list: wpm, hold_ms, transition_ms, error_percent, and
  for a rich one also WINDOW_STATISTICS, a number or null each, and WINDOW_COUNTS: `WINDOW_NUMBERS` in all.

A question of the chain has a fifth element, ``[question, required]``: 16 hex digits that are the same whenever the same
pattern is asked about, and how many recorded patterns a score needs. It is compared with the history as it was before
this question first entered it, enters it once, and its answer has a `Provenance`.

The reply is ``{"rows": [...], "columns": {...}, "v": 1, "work_seconds": ..., "queue_seconds": ...}`` with exactly one
entry per row, in order: an `Answer`, or ``{"error": code}``. ``work_seconds`` is what a message takes of the worker by
the worker's own monotonic clock, so that no clock need agree with another's: the front end takes what is left of its
round trip for waiting. ``queue_seconds`` is by the clocks of two machines and for people to look at.

A stored result that begins with RESULT_HEAD has its rows up to RESULT_COLUMNS, which no string of JSON can hold: they
are passed on as bytes, and `Columns` tell of them. One of another form, as Celery itself writes it, is parsed whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NotRequired, TypedDict

WIRE_VERSION: Final = 1
RESULT_HEAD: Final = b'{"result":{"rows":['
RESULT_COLUMNS: Final = b'],"columns":'

ONLINE_QUEUE: Final = "online"
TRAINING_QUEUE: Final = "training"
BULK_QUEUE: Final = "bulk"
SWEEP_QUEUE: Final = "sweep"

SCORE_TASK: Final = "biometrics.score"
PROBE_TASK: Final = "biometrics.probe"
RETRAIN_TASK: Final = "biometrics.retrain"
BULK_TASK: Final = "biometrics.bulk"
SWEEP_TASK: Final = "biometrics.sweep"

# Keys in Redis. History keys are hash-tagged by DID so that a cluster keeps one DID's keys together.
HISTORY_KEY: Final = "biometrics:history:{%s}"
ASKED_KEY: Final = "biometrics:asked:{%s}:%s"
STATS_KEY: Final = "biometrics:stats"
ALIVE_KEY: Final = "biometrics:online:alive"

MAX_ROWS_PER_MESSAGE: Final = 256

# A question of the chain that comes again within this time is the same session asked about again, after a
# re-organisation or a failed round; the chain itself takes one score of a DID an hour.
REPEAT_SECONDS: Final = 3600

CHANNELS: Final = (
    "typing_speed",
    "key_hold_time",
    "transition_time",
    "error_rate",
    "speed_accuracy_ratio",
    "rhythm_ratio",
)

# Each statistic of a rich window, and the count of what it was taken from; without that count it is missing.
WINDOW_COUNT_OF: Final = {
    "hold_q10_ms": "holds",
    "hold_q90_ms": "holds",
    "hold_space": "spaces",
    "hold_other": "others",
    **{f"hold_finger_{n}": f"finger_{n}" for n in range(1, 9)},
    "transition_q90_ms": "pairs",
    "overlap_ms": "overlaps",
    "transition_left_left": "left_left",
    "transition_right_right": "right_right",
    "transition_left_right": "left_right",
    "transition_right_left": "right_left",
    "transition_to_space": "to_space",
    "transition_from_space": "from_space",
    "rollover_left_left": "left_left",
    "rollover_left_right": "left_right",
    "rollover_right_right": "right_right",
    "rollover_to_space": "to_space",
    "hold_spread": "holds",
    "transition_spread": "pairs",
    "hold_rolled": "overlaps",
    "hold_change": "pairs",
    "gap_persistence": "triples",
    "gap_mean_ms": "pairs",
    "gap_median_ms": "pairs",
    "hold_backspace": "backspaces",
    "shift_lead_ms": "shifts",
    "shift_tail": "shifts",
}
WINDOW_STATISTICS: Final = tuple(WINDOW_COUNT_OF)
WINDOW_COUNTS: Final = (
    "keys",
    "holds",
    "pairs",
    "spaces",
    "others",
    *(f"finger_{n}" for n in range(1, 9)),
    "overlaps",
    "left_left",
    "right_right",
    "left_right",
    "right_left",
    "to_space",
    "from_space",
    "triples",
    "backspaces",
    "shifts",
)
WINDOW_NUMBERS: Final = 4 + len(WINDOW_STATISTICS) + len(WINDOW_COUNTS)


class ErrorCode(StrEnum):
    """Every code that can stand in an answer; the front end owns the table from code to HTTP status."""

    INVALID_INPUT = "INVALID_INPUT"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    HTTPS_REQUIRED = "HTTPS_REQUIRED"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    RATE_LIMITED = "RATE_LIMITED"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    INFERENCE_ERROR = "INFERENCE_ERROR"
    MODEL_NOT_LOADED = "MODEL_NOT_LOADED"
    QUEUE_UNAVAILABLE = "QUEUE_UNAVAILABLE"
    HISTORY_UNAVAILABLE = "HISTORY_UNAVAILABLE"
    OVERLOADED = "OVERLOADED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNSUPPORTED_MESSAGE = "UNSUPPORTED_MESSAGE"
    CHAIN_OFF = "CHAIN_OFF"
    HISTORY_REQUIRED = "HISTORY_REQUIRED"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    STORAGE_FULL = "STORAGE_FULL"


class Reason(StrEnum):
    """What a client should know about a score beside its number."""

    NO_HISTORY = "NO_HISTORY"
    SHORT_HISTORY = "SHORT_HISTORY"
    HISTORY_FROM_CALLER = "HISTORY_FROM_CALLER"
    DID_ABBREVIATED = "DID_ABBREVIATED"
    REPLAY_SUSPECTED = "REPLAY_SUSPECTED"
    IMPLAUSIBLE_TIMING = "IMPLAUSIBLE_TIMING"
    UPDATE_WITHHELD = "UPDATE_WITHHELD"
    ANOMALOUS = "ANOMALOUS"
    SESSION_FEATURES_EXPECTED = "SESSION_FEATURES_EXPECTED"
    SESSION_FEATURES_UNUSED = "SESSION_FEATURES_UNUSED"


class Decision(StrEnum):
    """What the service makes of a score at its operating point."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"


class Provenance(TypedDict):
    """What a score was made of, for a question of the chain."""

    model: str  # SHA-256 of the model's file, hex
    history: str  # BLAKE2b-256 of the history that it was compared with, hex: `worker.provenance`


class Answer(TypedDict):
    """One pattern's answer, in the order of the API reference; the front end passes its bytes on."""

    confidence_score: int
    anomaly_score: float
    feature_importance: dict[str, float]
    model_version: str
    inference_time_ms: float
    history_used: int
    history_source: str  # "none", "server" or "caller"
    recorded: bool
    decision: str  # a Decision
    reasons: list[str]
    provenance: NotRequired[Provenance]  # for questions of the chain only


class RowError(TypedDict):
    """One pattern that could not be scored; the others of its message can."""

    error: str


class Columns(TypedDict):
    """What a front end must know of a reply's rows; 0 for what an error has none of."""

    ends: list[int]  # of each row, in bytes from the first one's beginning
    confidence: list[int]
    anomaly: list[float]
    anomalous: list[int]  # 1 where Reason.ANOMALOUS applies
    inference_ms: float  # of all
    errors: list[tuple[int, str]]  # place and code, by place


class ProbeAnswer(TypedDict):
    """What a worker that holds a model says of itself."""

    model_version: str
    device: str


@dataclass(frozen=True)
class Deadlines:
    """How long each side works for one answer; every step inwards is shorter, so that no one works for nobody.

    >>> Deadlines(1.0).scoring_seconds < Deadlines(1.0).message_seconds < Deadlines(1.0).client_wait_seconds
    True
    """

    client_wait_seconds: float = 1.0

    @property
    def message_seconds(self) -> float:
        """After this a worker drops the message unread: its answer would come too late."""
        return self.client_wait_seconds * 0.9

    @property
    def scoring_seconds(self) -> float:
        """After this a worker does not begin to score."""
        return self.client_wait_seconds * 0.8


def history_key(did_hash: str) -> str:
    """The Redis key of one DID's history."""
    return HISTORY_KEY % did_hash


def asked_key(did_hash: str, question: str) -> str:
    """The Redis key that holds what a question of the chain entered into its DID's history, for REPEAT_SECONDS."""
    return ASKED_KEY % (did_hash, question)


# Bulk jobs. All keys of one job carry its id as hash tag; the indices over jobs live on the same server.
JOB_KEY: Final = "biometrics:job:{%s}"
ACTIVE_JOBS: Final = "biometrics:jobs:active"  # sorted set of ids by creation
DEAD_CHUNKS: Final = "biometrics:jobs:dead"  # hash: "<job>.<chunk>" -> JSON
CALLBACKS: Final = "biometrics:jobs:callbacks"  # sorted set of ended jobs by next try (Unix s)
JOBS_OF: Final = "biometrics:jobs:of:%s"  # sorted set of one caller's ids by creation
JOB_BY_CONTENT: Final = "biometrics:jobs:by:%s"  # string: "<job>:<digest>"

SHARDS: Final = 256  # by the first byte of a DID's hash: all patterns of one DID are in one
RESULTS_PER_PAGE: Final = 8192  # input positions whose results share a hash
MAX_CHUNK_FAILURES: Final = 3
MAX_RUN_SECONDS: Final = 7 * 24 * 60 * 60  # a job that nobody has finished by then is forgotten


@dataclass(frozen=True)
class JobKeys:
    """The names of one job's keys."""

    job_id: str

    @property
    def job(self) -> str:
        """Hash: state, counts, times, owner."""
        return JOB_KEY % self.job_id

    @property
    def ledger(self) -> str:
        """Hash, for chunk n: `s:n` state, `f:n` fence, `l:n` lease, `e:n` failures, `r:n` results are stored."""
        return f"{self.job}:ledger"

    @property
    def plan(self) -> str:
        """Hash: chunk -> JSON `{"rows", "after", "next", "parts": [[shard, first fragment, last fragment], ...]}`."""
        return f"{self.job}:plan"

    def data(self, shard: int) -> str:
        """Hash: fragment -> compressed patterns, see `worker.packed`."""
        return f"{self.job}:data:{shard}"

    def results(self, page: int) -> str:
        """Hash: chunk -> compressed results, see `worker.packed`; `broken:n` -> those of broken lines."""
        return f"{self.job}:results:{page}"

    def entries(self, chunk: int) -> str:
        """Compressed entries that a scored chunk has still to write into histories."""
        return f"{self.job}:entries:{chunk}"


def applied_key(job_id: str, chunk: int) -> str:
    """The mark, beside the histories, that a chunk's entries are in them."""
    return f"biometrics:applied:{job_id}:{chunk}"

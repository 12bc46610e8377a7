"""The worker's stages of a budget: from the message's bytes to the reply's, without Redis itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.budget_front import NOW, envelope, message, outcome
from ml.aalto import aalto
from ml.evidence import Evidence
from ml.explain import Explainer
from ml.registry import load
from ml.scorer import Scorer
from ml.sessions import Sessions
from ml.synthetic import people
from worker.answers import Settled, word
from worker.comparison import Typed, beside
from worker.enrolment import EnrolmentRule
from worker.judgement import Point, judge
from worker.records import Pattern, decode

MODEL = Path(__file__).resolve().parents[1] / "models" / "production" / "model.pth"
HISTORY = 10  # patterns of each DID
USUAL = (65.0, 120.0, 65.0, 3.0)
RULE = EnrolmentRule(70, 0.95)
POINT = Point(accept=50, reject_below=20)


def worker_stages(size: int) -> dict[str, Callable[[], object]]:
    """A call of each stage, for a message of `size` patterns."""
    return {**_model_stages(size), **_message_stages(size)}


def _model_stages(size: int) -> dict[str, Callable[[], object]]:
    scorer, sessions, rich = _scorer(), _sessions(size), _rich_sessions(size)
    model = scorer.model
    evidence = Evidence(model.population, model.tails, model.rich)
    explainer, channels = Explainer(model.network, "cpu"), evidence.channels(sessions)
    return {
        "evidence": lambda: evidence.channels(sessions),
        "evidence of rich sessions": lambda: evidence.channels(rich),
        "network: probability, from evidence on": lambda: scorer.probability(sessions),
        "network: the autoencoder's anomaly": lambda: scorer.anomaly(sessions.current),
        "Shapley: exact importances": lambda: explainer.importance(channels),
        "the scorer's whole work": lambda: scorer.score(sessions),
    }


def _message_stages(size: int) -> dict[str, Callable[[], object]]:
    now, named = np.full(size, NOW), np.ones(size, dtype=np.bool_)
    pasts = [[Pattern(1, USUAL).pack()] * HISTORY] * size
    rows, sent = message(size)["rows"], envelope(size)
    records, recorded = decode(pasts)
    comparison = beside(Typed.of(rows), records, recorded, now, 0)
    scores = _scorer().score(_sessions(size))
    verdict = judge(comparison, scores, named, RULE, POINT)
    replied = outcome(size)
    return {
        "decode: the message's bytes read": lambda: _opened(sent),
        "history: ten records read": lambda: decode(pasts),
        "history: set beside the rows": lambda: beside(Typed.of(rows), records, recorded, now, 0),
        "answer: replay, update and decision judged": lambda: judge(
            comparison, scores, named, RULE, POINT
        ),
        "answer: worded": partial(
            word,
            rows,
            comparison,
            scores,
            verdict,
            RULE,
            Settled([True] * size),
            version="2.0.0",
            inference_ms=1.0,
        ),
        "encode: the reply's bytes": replied.text,
    }


@cache
def _scorer() -> Scorer:
    torch.set_num_threads(1)  # as a worker does
    return load(MODEL)


def _opened(sent: bytes) -> Any:
    return json.loads(base64.b64decode(json.loads(sent)["body"]))


def _sessions(size: int) -> Sessions:
    draw = np.random.default_rng(size)
    current = np.array(USUAL) * draw.uniform(0.9, 1.1, (size, 4))  # (B, 4)
    history = current[:, None] * draw.uniform(0.9, 1.1, (size, HISTORY, 4))  # (B, K, 4)
    return Sessions(current, history, np.full(size, HISTORY))


def _rich_sessions(size: int) -> Sessions:
    """Synthetic people, each with a full history of rich patterns."""
    each = HISTORY + 1
    table = people(aalto(), np.full(size, each), np.random.default_rng(size))
    numbers = table.features.reshape(size, each, 4)
    derived = table.derived_rows().reshape(size, each, -1)
    counts = np.full(size, HISTORY)
    return Sessions(numbers[:, 0], numbers[:, 1:], counts, derived[:, 0], derived[:, 1:])

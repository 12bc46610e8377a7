"""The worker's stages of a budget: from the message's bytes to the reply's, without Redis itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic_core import to_json

from bench.budget_front import ANSWER, NOW, envelope, message
from ml.evidence import Evidence
from ml.explain import Explainer
from ml.registry import load
from ml.sessions import Sessions
from worker.answers import word
from worker.comparison import compare
from worker.contract import WIRE_VERSION
from worker.enrolment import EnrolmentRule
from worker.judgement import Point, judge
from worker.records import Pattern, decode

MODEL = Path(__file__).resolve().parents[1] / "models" / "production" / "model.pth"
HISTORY = 10  # patterns of each DID
USUAL = (65.0, 120.0, 65.0, 3.0)
RULE = EnrolmentRule(70, 0.95)
POINT = Point(accept=50, reject_below=20)


def worker_stages(size: int) -> list[tuple[str, Callable[[], object], int]]:
    """Name, call and patterns of each stage."""
    torch.set_num_threads(1)  # as a worker does
    scorer = load(MODEL)
    sessions = _sessions(size)
    named = np.ones(size, dtype=np.bool_)
    now = np.full(size, NOW)
    evidence = Evidence(scorer.model.population, scorer.model.tails)
    explainer = Explainer(scorer.model.network, "cpu")
    channels, scores = evidence.channels(sessions), scorer.score(sessions)
    pasts = [[Pattern(1, USUAL).pack()] * HISTORY] * size
    rows = message(size)["rows"]
    records, recorded = decode(pasts)
    comparison = compare(rows, records, recorded, now, 0)
    judgement = judge(comparison, scores, named, RULE, POINT)
    sent = envelope(size)
    reply = {"v": WIRE_VERSION, "work_seconds": 0.001, "rows": [ANSWER] * size}
    return [
        ("decode: the message's bytes read", lambda: _opened(sent), size),
        ("history: ten records read", lambda: decode(pasts), size),
        ("history: set beside the rows", lambda: compare(rows, records, recorded, now, 0), size),
        ("evidence", lambda: evidence.channels(sessions), size),
        ("network: probability, from evidence on", lambda: scorer.probability(sessions), size),
        ("network: the autoencoder's anomaly", lambda: scorer.anomaly(sessions.current), size),
        ("Shapley: exact importances", lambda: explainer.importance(channels), size),
        ("the scorer's whole work", lambda: scorer.score(sessions), size),
        (
            "answer: replay, update and decision judged",
            lambda: judge(comparison, scores, named, RULE, POINT),
            size,
        ),
        (
            "answer: worded",
            lambda: word(
                rows, comparison, scores, judgement, RULE, version="2.0.0", inference_ms=1.0
            ),
            size,
        ),
        ("encode: the reply's bytes", lambda: to_json({"result": reply}), size),
    ]


def _opened(sent: bytes) -> Any:
    return json.loads(base64.b64decode(json.loads(sent)["body"]))


def _sessions(size: int) -> Sessions:
    draw = np.random.default_rng(size)
    current = np.array(USUAL) * draw.uniform(0.9, 1.1, (size, 4))  # (B, 4)
    history = current[:, None] * draw.uniform(0.9, 1.1, (size, HISTORY, 4))  # (B, K, 4)
    return Sessions(current, history, np.full(size, HISTORY))

"""A loaded model and what the worker must know of it."""

from __future__ import annotations

from dataclasses import dataclass

from ml.scorer import Scorer


@dataclass(frozen=True)
class HeldModel:
    """`acceptance` is the confidence at which the model errs equally often either way, from its manifest."""

    scorer: Scorer
    acceptance: int

"""A loaded model and what the worker must know of it."""

from __future__ import annotations

from dataclasses import dataclass

from ml.scorer import Scorer
from worker.enrolment import EnrolmentRule
from worker.judgement import Point


@dataclass(frozen=True)
class HeldModel:
    """`acceptance` is the confidence at which the model errs equally often either way, from its manifest; `secure` that
    of its secure operating point."""

    scorer: Scorer
    acceptance: int
    secure: int

    def point(self, name: str) -> Point:
        """The operating point of this name. Raises KeyError when the model has none."""
        model = self.scorer.model
        return Point(model.operating_points[name].threshold, model.reject_below)

    def rule(self, rule: EnrolmentRule) -> EnrolmentRule:
        """The same rule, held above what this model accepts."""
        return rule.above(self.acceptance, self.secure)

"""A loaded model and what the worker must know of it."""

from __future__ import annotations

from dataclasses import dataclass

from ml.scorer import Scorer
from worker.enrolment import EnrolmentRule
from worker.judgement import Point


@dataclass(frozen=True)
class HeldModel:
    """`equal_error`: the confidence at which the model errs equally often either way; `secure`: that from which its
    secure point accepts."""

    scorer: Scorer
    equal_error: int
    secure: int

    def point(self, name: str) -> Point:
        """The operating point of this name. Raises KeyError when the model has none."""
        model = self.scorer.model
        return Point(model.operating_points[name].threshold, model.reject_below)

    def rule(self, rule: EnrolmentRule) -> EnrolmentRule:
        """The same rule, held above what this model errs at, and at its secure point."""
        return rule.above(self.secure, self.equal_error)

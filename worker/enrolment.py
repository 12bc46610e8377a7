"""Which patterns enter a DID's history: a pure rule, stricter than acceptance.

The first patterns of a DID found its history: there is nothing yet to compare them with, so they enter unless they
look unlike a person or clearly like somebody else. From then on a pattern enters only above the update threshold.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EnrolmentRule:
    """Thresholds: `patterns` found a history; confidences in 0-100; anomaly as a quantile of genuine sessions."""

    patterns: int
    enrolment_confidence: int
    update_confidence: int
    update_anomaly: float

    def admits(self, confidence: int, anomaly: float, recorded: int) -> bool:
        """Whether a pattern enters the history of a DID with `recorded` patterns."""
        if anomaly > self.update_anomaly:
            return False
        founding = recorded < self.patterns
        return confidence >= (self.enrolment_confidence if founding else self.update_confidence)

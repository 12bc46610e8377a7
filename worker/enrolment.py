"""Which patterns enter a DID's history: a pure rule, stricter than acceptance.

One pattern founds a history: there is nothing yet to compare it with. From then on a pattern enters only above the
update threshold, which lies above the confidence at which the model errs equally often either way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class EnrolmentRule:
    """Thresholds: a confidence of 0-100, and the anomaly as a quantile of genuine sessions."""

    update_confidence: int
    update_anomaly: float

    def above(self, acceptance: int) -> EnrolmentRule:
        """The same rule, held above the confidence from which a model's users may accept."""
        return replace(self, update_confidence=max(self.update_confidence, acceptance + 1))

    def admits(self, confidence: int, anomaly: float, recorded: int) -> bool:
        """Whether a pattern enters the history of a DID with `recorded` patterns."""
        if anomaly > self.update_anomaly:
            return False
        return recorded == 0 or confidence >= self.update_confidence

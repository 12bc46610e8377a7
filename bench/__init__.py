"""Measures this service beside what one would use instead, on the same scorer, in one alternating run."""

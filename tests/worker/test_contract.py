"""The wire."""

from __future__ import annotations

import subprocess
import sys

import pytest

from worker.contract import Deadlines, history_key


@pytest.mark.parametrize("seconds", [0.05, 1.0, 60.0])
def test_each_deadline_is_shorter_than_the_one_around_it(seconds: float) -> None:
    deadlines = Deadlines(seconds)
    assert 0 < deadlines.scoring_seconds < deadlines.message_seconds
    assert deadlines.message_seconds < deadlines.client_wait_seconds == seconds


def test_a_history_key_is_tagged_so_that_a_cluster_keeps_a_did_together() -> None:
    assert history_key("ab12") == "biometrics:history:{ab12}"


def test_the_wire_imports_nothing_beyond_the_standard_library() -> None:
    code = (
        "import sys, worker.contract\n"
        "tops = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(tops - set(sys.stdlib_module_names) - {'worker', '__main__'}))"
    )
    seen = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert seen.stdout.strip() == "[]"

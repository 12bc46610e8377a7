"""The running service, queue and model included, against its own documentation, as an outsider generates requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.service import RunningService

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)


def test_generated_requests_find_no_5xx_and_no_answer_that_breaks_the_schema(
    service: RunningService, tmp_path: Path
) -> None:
    command = [str(Path(sys.executable).with_name("schemathesis")), "run"]
    command += [service.url("/openapi.json"), "--checks", ",".join(CHECKS)]
    command += ["--max-examples", "12", "--seed", "1", "--generation-database", "none"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "6 passed" in done.stdout or "No issues found" in done.stdout, done.stdout[-2000:]

"""A file scored through the running service."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from scripts.score_patterns import content_key, main
from tests.e2e.bulk import (
    BulkService,
    assert_nothing_lost_and_nothing_twice,
    ndjson,
    patterns,
)
from tests.e2e.service import RunningService

pytestmark = pytest.mark.e2e


def test_a_file_is_scored_in_its_order_and_an_interrupted_run_goes_on(
    own_service: RunningService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bulk = BulkService(own_service)
    bulk.worker()
    path, output = tmp_path / "pending.ndjson", tmp_path / "scores.ndjson"
    path.write_bytes(ndjson(patterns(3_000, 300)) + b"\nbroken\n")
    wanted = ["--input", str(path), "--output", str(output), "--url", own_service.url("")]
    assert main(wanted) == 1  # one line has no score
    shown = capsys.readouterr().err
    assert "1 patterns have no score" in shown
    bars = shown.split("\n", 1)[0].split("\r")[1:]
    assert f"[{'#' * 40}] 3,001 of 3,001 scored, 3,001 fetched" in bars[-1]
    lengths = [bar.count("#") for bar in bars]
    assert lengths == sorted(lengths)
    whole = output.read_bytes()
    assert [json.loads(line)["index"] for line in whole.splitlines()] == list(range(3_001))
    job_id = own_service.get("/jobs")[1]["jobs"][0]["job_id"]
    output.write_bytes(whole[:5_000])
    note = tmp_path / "scores.ndjson.job"
    note.write_text(json.dumps({"job_id": job_id, "key": content_key(path)}))
    assert main(wanted) == 1
    assert output.read_bytes() == whole
    assert not note.exists()
    assert len(own_service.get("/jobs")[1]["jobs"]) == 1
    _a_parquet_file_is_scored_as_well(bulk, tmp_path)


def _a_parquet_file_is_scored_as_well(bulk: BulkService, directory: Path) -> None:
    body = patterns(300, 30, seed=2)
    path, output = directory / "pending.parquet", directory / "of_parquet.ndjson"
    rows = [
        {
            "did": each["did"],
            **each["features"],
            "timestamp": datetime.fromtimestamp(each["timestamp"], UTC),
        }
        for each in body
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    wanted = ["--input", str(path), "--output", str(output), "--url", bulk.service.url("")]
    assert main(wanted) == 0
    job_id = bulk.service.get("/jobs")[1]["jobs"][0]["job_id"]
    results = assert_nothing_lost_and_nothing_twice(bulk, job_id, body)
    assert [json.loads(line) for line in output.read_bytes().splitlines()] == results

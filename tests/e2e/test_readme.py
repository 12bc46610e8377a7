"""The README's examples do what they say, as written but for the port."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.bulk import ndjson, patterns
from tests.e2e.service import ROOT, RunningService

pytestmark = pytest.mark.e2e
README = (ROOT / "README.md").read_text()
ANSWER_FIELDS = [
    "confidence_score",
    "anomaly_score",
    "feature_importance",
    "model_version",
    "inference_time_ms",
]
BULK = README.split("### Bulk jobs", 1)[1].split("```bash\n", 1)[1].split("```", 1)[0]


def example(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    found = [block for block in blocks if containing in block]
    assert len(found) == 1, f"one {language} block with {containing!r}"
    return str(found[0])


def run(command: list[str], service: RunningService, text: str) -> str:
    script = text.replace("localhost:8000", f"127.0.0.1:{service.port}")
    done = subprocess.run([*command, script], capture_output=True, text=True, check=True)
    return done.stdout


def needs(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not on this machine")
    return found


def test_the_python_example_prints_a_confidence(service: RunningService) -> None:
    output = run([sys.executable, "-c"], service, example("python", "requests.post"))
    assert re.fullmatch(r"Confidence: \d{1,3}%\n", output)


def test_the_python_example_is_the_references_to_the_letter() -> None:
    assert '"activity_hour_preference": 14\n    }\n}\n' in example("python", "requests.post")


def test_the_curl_example_answers_with_every_documented_field(service: RunningService) -> None:
    needs("curl")
    answer = json.loads(run(["bash", "-c"], service, example("bash", "curl -X POST")))
    assert [field for field in answer if field in ANSWER_FIELDS] == ANSWER_FIELDS
    assert 45 <= answer["confidence_score"] <= 55
    assert sum(answer["feature_importance"].values()) == pytest.approx(1)


def test_the_javascript_example_prints_a_confidence(service: RunningService) -> None:
    node = [needs("node"), "--input-type=module", "-e"]
    output = run(node, service, example("javascript", "await fetch"))
    assert re.fullmatch(r"Confidence: \d{1,3}%\n", output)


def test_the_three_lines_of_a_bulk_job_score_a_file(
    service: RunningService, tmp_path: Path
) -> None:
    needs("curl")
    service.worker("bulk")
    (tmp_path / "pending.ndjson").write_bytes(ndjson(patterns(20, 5)))
    send, fetch, both = (line.split("  #")[0] for line in BULK.strip().splitlines())
    job_id = json.loads(run(["bash", "-c"], service, f"cd {tmp_path}; {send}"))["job_id"]
    fetch = fetch.replace("5f0c...", job_id)
    assert job_id in fetch
    service.wait_for(lambda: service.get(f"/jobs/{job_id}")[1]["state"] == "done", "it is done")
    results = run(["bash", "-c"], service, fetch)
    assert [json.loads(line)["index"] for line in results.splitlines()] == list(range(20))
    both = both.replace("python scripts/", f"{sys.executable} {ROOT}/scripts/", 1)
    at_port = f"--url http://localhost:8000 {both.split('score_patterns.py ')[1]}"
    run(["bash", "-c"], service, f"cd {tmp_path}; {both.split(' --')[0]} {at_port}")
    again = (tmp_path / "scores.ndjson").read_text().splitlines()  # a job of the script's own
    assert [json.loads(line)["index"] for line in again] == list(range(20))


def test_the_first_lines_are_the_two_commands() -> None:
    first = re.search(r"```bash\n(.*?)```", README, re.DOTALL)
    assert first is not None
    commands = [line.split("#")[0].strip() for line in first[1].strip().splitlines()]
    assert commands == ["make run", "make test"]


@pytest.mark.parametrize("target", ["run", "test", "train", "evaluate", "check"])
def test_each_make_target_that_is_named_exists(target: str) -> None:
    assert re.search(rf"^{target}:.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_document_and_script_that_is_named_exists() -> None:
    named = set(re.findall(r"\]\(([^)#h][^)]*)\)", README))
    named |= set(re.findall(r"(scripts/\w+\.py)", README))
    assert len(named) > 8
    assert [path for path in named if not (ROOT / Path(path)).exists()] == []


def test_the_headline_figures_are_those_of_the_generated_report() -> None:
    report = (ROOT / "docs" / "accuracy.md").read_text()
    table = README.split("make evaluate` prints this", 1)[1].split("## Use it", 1)[0]
    figures = re.findall(r"\d+\.\d+(?: %)? \(\d+\.\d+ to \d+\.\d+\)", table)
    assert len(figures) == 12
    plain = report.replace(" %", "")
    assert [figure for figure in figures if figure.replace(" %", "") not in plain] == []

"""What is told of the machine, and what is not."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from bench.installed_size import closure, front_end_megabytes
from bench.machine import describe, processor


def test_the_description_holds_neither_name_nor_path() -> None:
    text = json.dumps(describe())
    assert socket.gethostname() not in text
    assert str(Path.home()) not in text
    assert '"torch": "2.' in text


@pytest.mark.parametrize(
    ("content", "name"),
    [("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n", "Some CPU @ 2 GHz"), ("x: y\n", None)],
)
def test_the_processor_is_named_by_the_kernel(
    tmp_path: Path, content: str, name: str | None
) -> None:
    (tmp_path / "cpuinfo").write_text(content)
    assert processor(tmp_path / "cpuinfo") == (name or processor(tmp_path / "missing"))


def test_the_front_end_needs_fastapi_and_what_it_pulls_in_but_no_torch() -> None:
    found = closure("behavioral-biometrics", frozenset({"api"}))
    assert {"fastapi", "starlette", "pydantic-core", "celery", "hiredis"} <= set(found)
    assert not {"torch", "numpy", "matplotlib", "behavioral-biometrics"} & set(found)


def test_the_size_is_that_of_files_on_the_disk() -> None:
    assert 10 < front_end_megabytes() < 1000

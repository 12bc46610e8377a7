"""The generated parts of the documents are what the measurement says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.sections import (
    BEGIN,
    END,
    RESULT,
    UNMEASURED,
    SectionError,
    renew,
    renewed,
    with_section,
)
from bench.table import page, summary
from tests.bench.documents import document
from tests.e2e.service import ROOT

EMPTY = f"# Title\n\nbefore\n\n{BEGIN}\nold\n{END}\n\nafter\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "performance").mkdir(parents=True)
    for name in ("README.md", "docs/performance.md"):
        (tmp_path / name).write_text(EMPTY)
    (tmp_path / RESULT).write_text(json.dumps(document()))
    return tmp_path


def test_the_documents_of_this_project_are_what_their_measurement_says() -> None:
    for path, text in renewed(ROOT).items():
        assert path.read_text() == text, "help: python -m bench.sections"


def test_what_stands_around_the_markers_stays(root: Path) -> None:
    renew(root)
    text = (root / "README.md").read_text()
    assert text.startswith(f"# Title\n\nbefore\n\n{BEGIN}\n\nMeasured on 2026-11-21")
    assert text.endswith(f"{END}\n\nafter\n")
    assert "old" not in text
    assert summary(document()) in text
    assert page(document()) in (root / "docs" / "performance.md").read_text()


def test_renewing_twice_changes_nothing(root: Path) -> None:
    renew(root)
    assert all(path.read_text() == text for path, text in renewed(root).items())


def test_without_a_measurement_the_documents_say_that_there_is_none(root: Path) -> None:
    (root / RESULT).unlink()
    renew(root)
    assert UNMEASURED in (root / "README.md").read_text()


@pytest.mark.parametrize("text", ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_document_without_one_pair_of_markers_is_an_error(text: str) -> None:
    with pytest.raises(SectionError, match="one pair of lines"):
        with_section(text, "figures")

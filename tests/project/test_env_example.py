"""The example of a `.env` file names every setting with its default, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings

from api.settings import Settings
from scripts.run_settings import RunSettings
from worker.settings import WorkerSettings

ROOT = Path(__file__).resolve().parents[2]
CLASSES: tuple[type[BaseSettings], ...] = (Settings, WorkerSettings, RunSettings)
SECRETS = {"DID_HASH_KEY", "FLOWER_BASIC_AUTH"}


def example() -> dict[str, str]:
    """Every name in the file, commented or not, with its value."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = [re.fullmatch(r"(?:# )?([A-Z][A-Z0-9_]+)=(.*)", line) for line in lines]
    names = [match[1] for match in found if match]
    assert len(names) == len(set(names)), "a name stands twice"
    return {match[1]: match[2] for match in found if match}


def settings() -> dict[str, set[str]]:
    """Every setting's name with its default in each class that has it, as one would write it."""
    found: dict[str, set[str]] = {}
    for each in CLASSES:
        for name, field in each.model_fields.items():
            value = "" if field.is_required() else written(field.default)
            found.setdefault(name.upper(), set()).add(value)
    return found


def written(value: Any) -> str:
    """A default in the notation of a `.env` file."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)


def names_in_compose() -> set[str]:
    """What compose.yaml takes from the environment."""
    return set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))


def test_every_setting_stands_in_the_example() -> None:
    assert set(settings()) <= set(example())


def test_what_compose_asks_for_stands_in_the_example() -> None:
    assert names_in_compose() <= set(example())


def test_nothing_stands_in_the_example_that_nobody_reads() -> None:
    assert set(example()) <= set(settings()) | names_in_compose()


def test_the_example_shows_the_defaults() -> None:
    shown = example()
    wrong = {
        name: (shown[name], defaults)
        for name, defaults in settings().items()
        if shown[name] not in defaults
    }
    assert wrong == {}


def test_only_secrets_are_left_to_fill_in() -> None:
    text = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^([A-Z]\w*)=", text, re.MULTILINE)) == SECRETS
    assert {example()[name] for name in SECRETS} == {""}


def test_the_example_as_it_is_leaves_the_workers_at_their_defaults() -> None:
    copied = WorkerSettings(_env_file=ROOT / ".env.example")
    assert copied == WorkerSettings(_env_file=None)

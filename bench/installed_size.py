"""How many bytes the front end's requirements take on the disk: `api`'s extra and everything that it pulls in."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.part import ROOT

PROJECT = "behavioral-biometrics"
OWN = ("api", "worker/contract.py", "worker/celery_app.py", "worker/__init__.py")


def front_end_megabytes() -> float:
    """Megabytes (10^6) of the requirements and of the front end's own code, without the interpreter and its image."""
    size = sum(_bytes_of(found) for found in closure(PROJECT, frozenset({"api"})).values())
    return (size + sum(_bytes_below(ROOT / name) for name in OWN)) / 1e6


def closure(name: str, extras: frozenset[str]) -> dict[str, Distribution]:
    """The installed distributions that `name[extras]` needs, by canonical name, itself left out.

    Raises PackageNotFoundError when one of them is missing.
    """
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(name), extras)]
    while waiting:
        wanted, chosen = waiting.pop()
        if (wanted, chosen) in seen:
            continue
        seen.add((wanted, chosen))
        found[wanted] = distribution(wanted)
        waiting += [
            (canonicalize_name(need.name), frozenset(need.extras))
            for need in _needs(found[wanted], chosen)
        ]
    del found[canonicalize_name(name)]
    return found


def _needs(installed: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for line in installed.requires or ():
        need = Requirement(line)
        environments = [{"extra": extra} for extra in ("", *extras)]
        if need.marker is None or any(need.marker.evaluate(given) for given in environments):
            yield need


def _bytes_of(installed: Distribution) -> int:
    total = 0
    for file in installed.files or ():
        path = Path(str(file.locate()))
        total += path.stat().st_size if path.is_file() else 0
    return total


def _bytes_below(path: Path) -> int:
    files = path.rglob("*.py") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


__all__ = ["PackageNotFoundError", "closure", "front_end_megabytes"]

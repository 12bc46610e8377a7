"""Model files: the only place that reads and writes them.

A model is two files side by side: `<stem>.pth` (weights only, no code is run when it is read) and `<stem>.json`, its
manifest: version, SHA-256 of the other, data, seeds, library versions, figures, thresholds.

ModelError
├── ModelMissingError
└── ModelIntegrityError
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ml.model import Model
from ml.scorer import Scorer


class ModelError(Exception):
    """Raised when a model cannot be used."""


class ModelMissingError(ModelError):
    """Raised when a model's file or its manifest is not there."""


class ModelIntegrityError(ModelError):
    """Raised when a model's file is not the one that its manifest describes."""


@dataclass(frozen=True)
class Manifest:
    """What stands beside a model."""

    version: str
    sha256: str
    data: dict[str, Any]  # what it was trained on
    seeds: dict[str, int]
    libraries: dict[str, str]
    figures: dict[
        str, Any
    ]  # by group of people; on validation people choices were made, see ml.fitting
    thresholds: dict[str, Any]  # by name: the confidence and its measured error rates


def load(path: Path, device: str = "cpu") -> Scorer:
    """The scorer of the model at `path`, its SHA-256 verified before anything is decoded.

    Raises ModelMissingError, or ModelIntegrityError when the sums differ or the content is no model.
    """
    expected = manifest(path)
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected.sha256:
        raise ModelIntegrityError(
            f"{path}: the manifest says SHA-256 {expected.sha256}, the file has {found}; "
            "help: restore both files together, or run `make train`"
        )
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        model = Model.of(state)
    except Exception as error:
        raise ModelIntegrityError(f"{path}: not a model of this service: {error}") from error
    if model.version != expected.version:
        raise ModelIntegrityError(
            f"{path}: the manifest says version {expected.version}, the file {model.version}"
        )
    return Scorer(model, device, found)


def save(model: Model, path: Path, manifest: Mapping[str, Any]) -> None:
    """Write the model to `path` and its manifest beside it, each whole or not at all.

    `sha256`, `version` and `libraries` of the manifest are filled in here.
    """
    buffer = io.BytesIO()
    torch.save(model.state(), buffer)
    content = buffer.getvalue()
    entries = {
        "data": {},
        "seeds": {},
        "figures": {},
        "thresholds": {},
        **manifest,
        "version": model.version,
        "sha256": hashlib.sha256(content).hexdigest(),
        "libraries": library_versions(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    described = json.dumps(entries, indent=2, sort_keys=True) + "\n"
    waiting = [_write(path, content), _write(manifest_path(path), described.encode())]
    for temporary, final in zip(waiting, (path, manifest_path(path)), strict=True):
        temporary.replace(final)


def manifest(path: Path) -> Manifest:
    """The manifest of the model at `path`. Raises ModelMissingError or ModelIntegrityError."""
    beside = manifest_path(path)
    for needed in (path, beside):
        if not needed.is_file():
            raise ModelMissingError(f"no model: {needed} is missing; help: run `make train`")
    try:
        entries = json.loads(beside.read_text())
        return Manifest(**{name: entries[name] for name in Manifest.__dataclass_fields__})
    except (ValueError, KeyError, TypeError) as error:
        raise ModelIntegrityError(f"{beside}: not a model's manifest: {error!r}") from error


def manifest_path(path: Path) -> Path:
    """Where the manifest of the model at `path` lies."""
    return path.with_suffix(".json")


def library_versions() -> dict[str, str]:
    """The versions on which a model's last bits depend."""
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def _write(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return temporary

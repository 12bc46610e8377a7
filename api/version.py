"""The service's own version, as `GET /` and `GET /health` tell it; the model has another."""

from __future__ import annotations

from typing import Final

SERVICE: Final = "behavioral-biometrics"
VERSION: Final = "1.0.0"

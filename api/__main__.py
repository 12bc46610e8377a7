"""`python -m api`: serves the front end with uvicorn, as the settings say."""

from __future__ import annotations

import sys
from typing import Final

import uvicorn

from api.collector import hold_the_collector
from api.logs import configure_logs
from api.protocol import Protocol
from api.settings import SettingsError, load_settings

GRACEFUL_SECONDS: Final = 10  # longer than any answer may take
KEEP_ALIVE_SECONDS: Final = (
    75  # longer than the 60 s of common load balancers, which then never meet a closed door
)


def main() -> int:
    """Serves until a signal; returns 2 when a setting is missing or wrong."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logs(settings.log_level, settings.log_format)
    hold_the_collector()
    uvicorn.run(
        "api.app:create_served_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        proxy_headers=False,  # TRUSTED_PROXIES decides whom to believe
        server_header=False,
        access_log=False,  # api.exchange writes one line for each request
        log_config=None,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

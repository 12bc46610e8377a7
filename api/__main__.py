"""`python -m api`: serves the front end with uvicorn, as the settings say."""

from __future__ import annotations

import contextlib
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
# uvloop accepts one connection of a listening socket in a turn of its loop. In a flood a turn takes milliseconds, and
# who is not accepted can be neither answered nor refused: with 16 a turn the queue below ran over. Copies of the socket
# share its queue, and each accepts one; more than 64 cost more in waking up than they bring.
ACCEPTED_A_TURN: Final = 64
BACKLOG: Final = 4096  # of Linux' own bound; who finds no place tries again after a second
STARTUP_FAILURE: Final = 3  # uvicorn's own status where it could not start


def main() -> int:
    """Serves until a signal; returns 2 when a setting is missing or wrong."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure_logs(settings.log_level, settings.log_format)
    hold_the_collector()
    config = uvicorn.Config(
        "api.app:create_served_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        backlog=BACKLOG,
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
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    with contextlib.suppress(KeyboardInterrupt):  # raised again once all is closed
        server.run(sockets=[listener, *(listener.dup() for _ in range(ACCEPTED_A_TURN - 1))])
    return 0 if server.started else STARTUP_FAILURE


if __name__ == "__main__":
    sys.exit(main())

"""List the chunks of bulk jobs that failed too often, try one again, or drop it; through the running service."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

TIMEOUT_SECONDS = 30


def main(arguments: list[str] | None = None) -> int:
    """0 when it was done, 1 with the service's own words when it was not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:8000", help="default: %(default)s")
    parser.add_argument("--api-key", help="where the service asks for one")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="name, job, patterns and time of each")
    for name, what in (("retry", "score it once more"), ("drop", "its patterns stay failed")):
        actions.add_parser(name, help=what).add_argument("name", help="as `list` prints it")
    wanted = parser.parse_args(arguments)
    try:
        _do(wanted)
    except urllib.error.HTTPError as error:
        print(json.load(error)["detail"], file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{wanted.url} does not answer ({error}); help: --url", file=sys.stderr)
        return 1
    return 0


def _do(wanted: argparse.Namespace) -> None:
    if wanted.action == "list":
        for letter in _ask(wanted, "GET", "")["dead_letters"]:
            print(f"{letter['name']}  {letter['patterns']} patterns  since {letter['since']:.0f}")
        return
    name = "/" + urllib.parse.quote(wanted.name, safe="")
    if wanted.action == "retry":
        _ask(wanted, "POST", f"{name}/retry")
    else:
        _ask(wanted, "DELETE", name)


def _ask(wanted: argparse.Namespace, method: str, path: str) -> Any:
    headers = {"X-API-Key": wanted.api_key} if wanted.api_key else {}
    url = f"{wanted.url.rstrip('/')}/dead-letters{path}"
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        body = answer.read()
    return json.loads(body) if body else None


if __name__ == "__main__":
    sys.exit(main())

"""Score a file of pending patterns as one bulk job: submit, watch, fetch.

Run again after an interruption with the same files, it goes on where it was: the job is kept beside the output, and
fetching continues after the last whole line.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import http
import http.client
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.5
OUTAGE_SECONDS = 120  # so long the service may be away before the script gives up
TIMEOUT_SECONDS = 60
BAR_WIDTH = 40
PACKED_BYTES = 64 * 1024
FEATURES = (
    "typing_speed_wpm",
    "avg_key_hold_time_ms",
    "avg_transition_time_ms",
    "error_rate_percent",
    "activity_hour_preference",
)
PARQUET_ROWS = 4096


class PendingError(ValueError):
    """Raised when a file cannot be read as patterns; the message says what helps."""


def pending_lines(path: Path) -> Iterator[bytes]:
    """One pattern as JSON a line, each with its line break. Raises PendingError and OSError."""
    if path.suffix == ".csv":
        return _of_table(_csv_rows(path))
    if path.suffix in {".parquet", ".pq"}:
        return _of_table(_parquet_rows(path))
    return _ndjson(path)


def _ndjson(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        for line in lines:
            yield line if line.endswith(b"\n") else line + b"\n"


def _csv_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as table:
        reader = csv.DictReader(table)
        try:
            _check_columns(path, reader.fieldnames or ())
            yield from reader
        except (csv.Error, UnicodeDecodeError) as error:
            raise PendingError(f"{path} is no CSV in UTF-8: {error}") from None


def _parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415
    except ImportError:
        raise PendingError(
            f"{path} is Parquet, which needs pyarrow; help: pip install pyarrow, or convert it to CSV"
        ) from None
    try:
        table = parquet.ParquetFile(path)
        _check_columns(path, table.schema_arrow.names)
        for batch in table.iter_batches(batch_size=PARQUET_ROWS):
            yield from batch.to_pylist()
    except ArrowException as error:
        raise PendingError(f"{path} is no Parquet: {error}") from None


def _check_columns(path: Path, names: Iterable[str]) -> None:
    missing = {"did", *FEATURES} - set(names)
    if missing:
        raise PendingError(f"{path} has no column {', '.join(sorted(missing))}")


def _of_table(rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        pattern: dict[str, Any] = {"did": row["did"]}
        pattern["features"] = {name: _number(row[name]) for name in FEATURES}
        if row.get("timestamp") not in (None, ""):
            pattern["timestamp"] = _number(row["timestamp"])
        yield json.dumps(pattern, default=str).encode() + b"\n"


def _number(value: Any) -> Any:
    """A number, or a time's Unix seconds (UTC without a zone); the service names the line of what is neither."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


class ServiceError(Exception):
    """Raised when the service refuses; the message is the service's own."""


class JobGoneError(ServiceError):
    """Raised when the job was cancelled or has expired: another run must send it anew."""


class Client:
    """What the script asks of the service."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"X-API-Key": api_key} if api_key else {}

    def submit(self, lines: Iterable[bytes], key: str) -> str:
        """The job's id; the same for the same key. Raises ServiceError and OSError."""
        split = urllib.parse.urlsplit(self._url)
        kind = (
            http.client.HTTPSConnection if split.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(split.netloc, timeout=TIMEOUT_SECONDS)
        headers = {
            **self._headers,
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", f"{split.path}/jobs", packed(lines), headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 202:
            raise ServiceError(refusal(answer.status, body))
        return str(json.loads(body)["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """How far the job is. Raises HTTPError and OSError."""
        with self._open(f"/jobs/{job_id}") as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def results(self, job_id: str, offset: int) -> Iterator[bytes]:
        """Whole lines from `offset` on, as far as they are there. Raises HTTPError and OSError."""
        with self._open(f"/jobs/{job_id}/results?offset={offset}") as answer:
            for line in answer:
                if line.endswith(b"\n"):
                    yield line

    def _open(self, path: str) -> Any:
        request = urllib.request.Request(self._url + path, headers=self._headers)  # noqa: S310
        return urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310


def refusal(status: int, body: bytes) -> str:
    """Why the service refused; whatever stands in front of it may answer in a form of its own."""
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, TypeError, KeyError):
        return f"the answer was {status} and not the service's own"


def packed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines as one gzip stream, in pieces."""
    pack = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS)
    waiting = bytearray()
    for line in lines:
        waiting += pack.compress(line)
        if len(waiting) >= PACKED_BYTES:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting) + pack.flush()


def content_key(path: Path) -> str:
    """What makes a second run find the first one's job: the file's SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while piece := content.read(1 << 20):
            digest.update(piece)
    return f"score_patterns:{digest.hexdigest()}"


def whole_lines(output: Path) -> int:
    """How many whole lines the output holds; a torn last one is cut off."""
    if not output.exists():
        return 0
    lines = length = 0
    with output.open("r+b") as kept:
        for line in kept:
            if line.endswith(b"\n"):
                lines, length = lines + 1, length + len(line)
        kept.truncate(length)
    return lines


def fetch(client: Client, job_id: str, output: Path) -> dict[str, Any]:
    """Watch the job and append its results until all are there; the job as it ended.

    Raises JobGoneError when it was cancelled or has expired, ServiceError when the service refuses, OSError when it
    stays away.
    """
    offset, away_since = whole_lines(output), None
    while True:
        try:
            job = client.job(job_id)
            if job["state"] == "cancelled":
                raise JobGoneError(f"the job {job_id} was cancelled")
            _show(job, offset)
            with output.open("ab") as kept:
                for line in client.results(job_id, offset):
                    kept.write(line)
                    offset += 1
            away_since = None
            if offset >= job["total"] and job["state"] in {"done", "failed"}:
                _show(job, offset, end="\n")
                return job
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.NOT_FOUND:
                raise JobGoneError(refusal(error.code, error.read())) from None
            if error.code < 500 and error.code != http.HTTPStatus.TOO_MANY_REQUESTS:
                raise ServiceError(refusal(error.code, error.read())) from None
            away_since = _patience(away_since, error)
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            away_since = _patience(away_since, error)
        time.sleep(POLL_SECONDS)


def _patience(away_since: float | None, error: Exception) -> float:
    now = time.monotonic()
    if away_since is not None and now - away_since > OUTAGE_SECONDS:
        raise OSError(f"the service does not answer: {error}") from error
    return now if away_since is None else away_since


def _show(job: dict[str, Any], fetched: int, end: str = "") -> None:
    ended = job["done"] + job["failed"]
    bar = "#" * (BAR_WIDTH * ended // max(job["total"], 1))
    rate = f"{job['patterns_per_second'] or 0:,.0f}/s"
    line = (
        f"\r[{bar:<{BAR_WIDTH}}] {ended:,} of {job['total']:,} scored, {fetched:,} fetched, {rate} "
    )
    print(line, end=end, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """0 when every pattern has its result, 1 when some failed or the service refused, 2 for a wrong file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, required=True, help=".ndjson, .csv or .parquet")
    parser.add_argument("--output", type=Path, required=True, help="NDJSON, in the input's order")
    parser.add_argument("--url", default="http://localhost:8000", help="default: %(default)s")
    parser.add_argument("--api-key", help="where the service asks for one")
    wanted = parser.parse_args(arguments)
    client = Client(wanted.url, wanted.api_key)
    note = wanted.output.with_name(wanted.output.name + ".job")
    try:
        key = content_key(wanted.input)
        job_id = _kept_job(note, key)
        if job_id is None:
            job_id = client.submit(pending_lines(wanted.input), key)
            wanted.output.unlink(missing_ok=True)
            note.write_text(json.dumps({"job_id": job_id, "key": key}))
        job = fetch(client, job_id, wanted.output)
    except (PendingError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    except (ServiceError, OSError, http.client.HTTPException, json.JSONDecodeError) as error:
        if isinstance(error, JobGoneError):
            note.unlink(missing_ok=True)
        print(f"\n{error}; run the same command again to go on", file=sys.stderr)
        return 1
    note.unlink()
    if job["failed"]:
        print(f"{job['failed']:,} patterns have no score; their lines say why", file=sys.stderr)
    return 1 if job["failed"] else 0


def _kept_job(note: Path, key: str) -> str | None:
    """The job of an interrupted run on the same input, if its note is whole."""
    try:
        kept = json.loads(note.read_text())
        return str(kept["job_id"]) if kept["key"] == key else None
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


if __name__ == "__main__":
    sys.exit(main())

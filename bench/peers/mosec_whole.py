"""Mosec around all of the service's own work: what differs is how requests come to it and answers go back."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from mosec import Server, Worker
from mosec.errors import ValidationError

from api.errors import InvalidInputError
from api.identity import Identities
from api.rows import Reader, Row
from bench.peers.own_work import OwnWork
from worker.history import Entry
from worker.settings import WorkerSettings


class Scoring(Worker):
    """Validates, reads the histories, scores, decides, and enters what the batch before is to leave behind."""

    def __init__(self) -> None:
        super().__init__()
        self._reader = Reader(Identities(os.environ["DID_HASH_KEY"]))
        self._work = OwnWork(WorkerSettings())
        self._entries: list[Entry] = []

    def deserialize(self, data: bytes) -> Row:
        """A body, checked. Raises ValidationError, which the client gets as 422."""
        try:
            return self._reader.read_one(data, time.time())
        except InvalidInputError as error:
            raise ValidationError(error.detail) from None

    def forward(self, data: list[Row]) -> Sequence[bytes]:
        """Score what mosec has put together. Entries wait for the next batch: here nothing runs behind an answer."""
        if self._entries:
            self._work.enter(self._entries)
        worded, self._entries = self._work.answer(data)
        return worded.rows

    def serialize(self, data: bytes) -> bytes:
        """An answer's JSON, which it is already."""
        return data


if __name__ == "__main__":
    server = Server()
    server.append_worker(Scoring, num=1, max_batch_size=64, max_wait_time=1, route="/predict")
    server.run()

from __future__ import annotations

from api.chain.digests import Digests
from tests.api.chain.questions import DIGESTS, HISTORY


def test_another_secret_gives_other_digests() -> None:
    other = Digests("o" * 32)
    assert DIGESTS.question(b"asked") != other.question(b"asked")
    assert DIGESTS.history(HISTORY) != other.history(HISTORY)


def test_a_question_and_a_history_of_the_same_bytes_have_different_digests() -> None:
    assert not DIGESTS.question(bytes.fromhex(HISTORY)).startswith(DIGESTS.history(HISTORY))


def test_digests_have_their_documented_lengths() -> None:
    assert len(DIGESTS.question(b"asked")) == 32
    assert len(DIGESTS.history(HISTORY)) == 16

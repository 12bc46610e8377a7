"""Makes the test vectors of the chain's door: keys, requests and the exact bytes of answers, for other implementations.

The seeds in it are published: never sign anything else with them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from api.chain.answer import Signer, whole
from api.chain.digests import Digests
from api.chain.keys import SigningKey
from api.chain.message import blake2b_256, features_bytes, v1_message, v2_message
from api.chain.question import Question, Questions
from api.chain.verdict import Verdict
from api.identity import Identities
from worker.provenance import history_digest
from worker.records import Pattern, decode

DEFAULT = Path(__file__).resolve().parent.parent / "docs" / "chain" / "vectors.json"
SECRET = "published with the test vectors, no secret"  # noqa: S105
GENESIS = bytes.fromhex("91" * 32)
MODEL = "9ee7c0fd10f36d55"
# Oracle id, seed, whether signature_v2 is given, and what is answered: score, Unix seconds, serial.
CASES = (
    (0, "00" * 32, False, (0, 0, 0)),
    (1, "01" * 32, False, (50, 1_790_000_000, 1_790_000_000_123_456)),
    (1, "01" * 32, True, (87, 1_790_000_060, 1_790_000_060_000_001)),
    (2, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", True, (99, 2**32, 7)),
    (2047, "ff" * 32, True, (100, 2**40, 2**53 - 1)),
)
FEATURES = (
    (0, 0, 0, 0, 0),
    (65, 120, 85, 3, 14),
    (65, 120, 85, 3, 14),
    (104, 81, 47, 1, 23),
    (400, 5_000, 10_000, 100, 23),
)
DIDS = (
    "01" * 32,
    "ab" * 32,
    "ab" * 32,
    "742d35cc6634c0532925a3b844bc9e7595f0beb" + "0" * 25,
    "ff" * 32,
)
HISTORIES: tuple[tuple[tuple[float, float, float, float], ...], ...] = (
    (),
    (),
    ((64.0, 118.0, 88.0, 4.0),),
    ((100.0, 80.0, 50.0, 0.0), (102.0, 82.0, 44.0, 1.0)),
    ((63.5, 101.25, -12.5, 0.1),) * 3,
)


def vectors() -> dict[str, Any]:
    """All of the file. What needs no secret can be computed from what stands beside it."""
    digests = Digests(SECRET)
    questions = Questions(Identities(SECRET), digests)
    cases = zip(CASES, DIDS, FEATURES, HISTORIES, strict=True)
    return {
        "did_hash_key": SECRET,
        "genesis_hash": f"0x{GENESIS.hex()}",
        "vectors": [_vector(questions, digests, *case) for case in cases],
    }


def _vector(
    questions: Questions,
    digests: Digests,
    case: tuple[int, str, bool, tuple[int, int, int]],
    did: str,
    features: tuple[int, ...],
    history: tuple[tuple[float, float, float, float], ...],
) -> dict[str, Any]:
    oracle_id, seed, with_v2, (score, timestamp, serial) = case
    request = json.dumps(_request(did, features), separators=(",", ":"))
    asked = questions.read(request.encode())
    if not isinstance(asked, Question):
        raise TypeError("a vector is one question")
    plain = history_digest(decode([[Pattern(0, numbers).pack() for numbers in history]])[0][0])
    verdict = Verdict(score, timestamp, MODEL, digests.history(plain), serial)
    key = SigningKey(bytes.fromhex(seed))
    signer = Signer(key, oracle_id, GENESIS if with_v2 else b"")
    v1 = v1_message(asked.did, score, timestamp, verdict.nonce(oracle_id))
    v2 = v2_message(
        GENESIS,
        v1,
        features_bytes(asked.features),
        bytes.fromhex(MODEL),
        bytes.fromhex(verdict.history),
    )
    found = {
        "oracle_id": oracle_id,
        "seed": f"0x{seed}",
        "public_key": f"0x{key.public.hex()}",
        "request": request,
        "history": history,
        "history_plain": f"0x{plain}",
        "serial": serial,
        "v1_message": f"0x{v1.hex()}",
        "v1_digest": f"0x{blake2b_256(v1).hex()}",
        "answer": whole(asked, signer.answer(asked, verdict)).decode(),
    }
    if with_v2:
        found |= {"v2_message": f"0x{v2.hex()}", "v2_digest": f"0x{blake2b_256(v2).hex()}"}
    return found


def _request(did: str, features: tuple[int, ...]) -> dict[str, Any]:
    names = (
        "typing_speed_wpm",
        "avg_key_hold_time_ms",
        "avg_transition_time_ms",
        "error_rate_percent",
        "activity_hour_preference",
    )
    return {"did": f"0x{did}", "features": dict(zip(names, features, strict=True))}


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=DEFAULT)
    path = parser.parse_args().output
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(vectors(), indent=2) + "\n")
    print(f"{path}: {len(CASES)} vectors")


if __name__ == "__main__":
    main()

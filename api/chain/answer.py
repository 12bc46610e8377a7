"""The answer's exact bytes: flat and compact, for readers that look for substrings."""

from __future__ import annotations

from api.chain.keys import SigningKey
from api.chain.message import features_bytes, v1_message, v2_message
from api.chain.question import Question
from api.chain.verdict import Verdict


class Signer:
    """Words and signs for one oracle. `genesis` (32 bytes, or none) switches `signature_v2` on."""

    def __init__(self, key: SigningKey, oracle_id: int, genesis: bytes) -> None:
        self._key = key
        self._oracle_id = oracle_id
        self._genesis = genesis

    def answer(self, question: Question, verdict: Verdict) -> bytes:
        """All of the answer but the DID at its beginning, which is not to be stored; `whole` puts it there."""
        nonce = verdict.nonce(self._oracle_id)
        v1 = v1_message(question.did, verdict.score, verdict.timestamp, nonce)
        text = (
            f'"confidence_score":{verdict.score},"timestamp":{verdict.timestamp},"nonce":{nonce},'
            f'"signature":"0x{self._key.sign(v1).hex()}","public_key":"0x{self._key.public.hex()}",'
            f'"model":"0x{verdict.model}","history":"0x{verdict.history}"'
        )
        if self._genesis:
            v2 = v2_message(
                self._genesis,
                v1,
                features_bytes(question.features),
                bytes.fromhex(verdict.model),
                bytes.fromhex(verdict.history),
            )
            text += f',"signature_v2":"0x{self._key.sign(v2).hex()}"'
        return text.encode() + b"}"


def whole(question: Question, rest: bytes) -> bytes:
    """The answer with its DID."""
    return b'{"did":"0x%s",%s' % (question.did.hex().encode(), rest)

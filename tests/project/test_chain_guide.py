"""The integration guide, held to the service that it describes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from api.chain.message import V2_TAG, features_bytes, v1_message, v2_message
from api.chain.question import Question
from api.chain.settings import ChainSettings
from api.documented import CHAIN
from scripts.chain_scanner import scan
from tests.api.chain.questions import reader

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "chain.md").read_text()
VECTORS: list[dict[str, Any]] = json.loads((ROOT / "docs/chain/vectors.json").read_text())[
    "vectors"
]


def block(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(next(each for each in blocks if containing in each))


def offsets(after: str) -> list[tuple[int, int]]:
    """The layout that follows a sentence of the guide: offset and length of each part."""
    rest = GUIDE.split(after, 1)[1].split("\n\n**", 1)[0].split("\n\nBLAKE2b", 1)[0]
    return [(int(a), int(b)) for a, b in re.findall(r"^\| (\d+) \| (\d+) \|", rest, re.MULTILINE)]


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_the_guides_python_accepts_every_vector_and_refuses_a_changed_one(
    vector: dict[str, Any],
) -> None:
    code = compile(block("python", "Ed25519PublicKey"), "docs/chain.md", "exec")
    exec(code, {"body": vector["answer"]})
    changed = vector["answer"].replace('"nonce":', '"nonce":1', 1)
    if json.loads(changed)["nonce"] < 2**64:
        with pytest.raises(InvalidSignature):
            exec(code, {"body": changed})


def test_the_guides_request_is_a_question() -> None:
    words = shlex.split(block("bash", "curl").replace("\\\n", " "))
    assert isinstance(reader().read(words[words.index("-d") + 1].encode()), Question)


def test_the_layouts_add_up_to_what_is_signed() -> None:
    v1 = v1_message(bytes(32), 0, 0, 0)
    v2 = v2_message(bytes(32), v1, features_bytes((0, 0, 0, 0, 0)), bytes(8), bytes(8))
    for after, message in (("**v1**", v1), ("**v2**", v2)):
        parts = offsets(after)
        ends = [start + length for start, length in parts]
        assert [0, *ends[:-1]] == [start for start, _ in parts]
        assert ends[-1] == len(message)
    assert f"`{V2_TAG.decode()}`" in GUIDE


def test_the_form_of_an_answer_is_that_of_the_vectors() -> None:
    shown = re.findall(r'"(\w+)":', block("text", '"did":"0x<64>"'))
    assert shown == list(json.loads(VECTORS[1]["answer"]))
    assert scan(VECTORS[1]["answer"].encode()) is not None


def test_every_setting_of_the_door_is_explained() -> None:
    for name in ChainSettings.model_fields:
        assert name.upper() in GUIDE


def test_every_code_with_which_the_door_abstains_stands_in_the_table() -> None:
    everywhere = {"HTTPS_REQUIRED", "UNAUTHORIZED", "INTERNAL_ERROR", "INFERENCE_ERROR"}
    rolling_update = {"WORKER_UNAVAILABLE", "UNSUPPORTED_MESSAGE"}
    for code in {error.code for error in CHAIN} - everywhere - rolling_update:
        assert f"`{code}`" in GUIDE

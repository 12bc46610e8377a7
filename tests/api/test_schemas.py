from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.ranges import RANGES
from api.schemas import BATCH, BATCH_EXAMPLE, PREDICT, PREDICT_EXAMPLE
from tests.api.front import request_body, request_with


def test_the_examples_are_valid() -> None:
    assert PREDICT.validate_json(json.dumps(PREDICT_EXAMPLE)).did == PREDICT_EXAMPLE["did"]
    assert len(BATCH.validate_json(json.dumps(BATCH_EXAMPLE))) == len(BATCH_EXAMPLE)


@given(
    st.fixed_dictionaries(
        {
            name: st.one_of(
                st.integers(int(limits.low), int(limits.high)), st.floats(limits.low, limits.high)
            )
            for name, limits in RANGES.items()
        }
    )
)
def test_every_number_in_its_range_is_read_as_it_was_written(numbers: dict[str, float]) -> None:
    features = PREDICT.validate_json(json.dumps(request_with(**numbers))).features
    assert {name: getattr(features, name) for name in numbers} == numbers


def test_a_request_that_was_read_cannot_be_changed() -> None:
    request = PREDICT.validate_json(json.dumps(request_body()))
    with pytest.raises(ValidationError):
        request.did = "0x2"  # type: ignore[misc]


def test_only_history_and_windows_are_optional() -> None:
    schema = PREDICT.json_schema()
    assert schema["required"] == ["did", "features"]
    assert set(schema["$defs"]["Features"]["required"]) == set(RANGES)


def test_the_schema_knows_every_range() -> None:
    properties = PREDICT.json_schema()["$defs"]["Features"]["properties"]
    for name, limits in RANGES.items():
        assert properties[name]["minimum"] == limits.low
        assert properties[name]["maximum"] == limits.high
        assert properties[name]["description"].startswith(limits.meaning)


def test_the_schema_says_what_an_abbreviated_did_is_compared_with() -> None:
    text = PREDICT.json_schema()["properties"]["did"]["description"]
    assert "compared with the request's own historical_patterns only, and never recorded" in text


def test_no_object_of_a_request_takes_unknown_fields() -> None:
    schema = PREDICT.json_schema()
    objects = [schema, *schema["$defs"].values()]
    assert [each["additionalProperties"] for each in objects] == [False] * len(objects)

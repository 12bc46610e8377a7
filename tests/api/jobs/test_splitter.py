"""Where items begin and end, however the stream is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import InvalidInputError
from api.jobs.splitter import Item, Splitter

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
cuts = st.integers(1, 40)
ITEM_BYTES = 256 * 1024


def split(text: bytes, size: int) -> list[Item]:
    splitter = Splitter(ITEM_BYTES)
    found: list[Item] = []
    for start in range(0, len(text), size):
        found += splitter.feed(text[start : start + size])
    return found + list(splitter.finish())


@given(st.lists(values, max_size=6), cuts, st.sampled_from([None, 1]))
def test_a_list_gives_its_elements_however_it_is_cut(
    items: list[Any], size: int, indent: int | None
) -> None:
    found = split(json.dumps(items, indent=indent).encode(), size)
    assert [json.loads(item.text) for item in found] == items
    assert [item.line for item in found] == list(range(1, len(items) + 1))


@given(st.lists(st.dictionaries(st.text(), values, max_size=3), max_size=6), cuts)
def test_lines_give_their_values_however_they_are_cut(items: list[Any], size: int) -> None:
    found = split(b"\n".join(json.dumps(item).encode() for item in items), size)
    assert [json.loads(item.text) for item in found] == items


def test_blank_lines_count_and_are_no_items() -> None:
    assert split(b'{"a":1}\n\n \r\n{"a":2}', 5) == [Item(1, b'{"a":1}'), Item(4, b'{"a":2}')]


def test_a_broken_element_leaves_its_neighbours_whole() -> None:
    found = split(b'[{"a": 1}, nonsense, {"b": [1, 2]}, ]', 7)
    assert [item.text.strip() for item in found] == [
        b'{"a": 1}',
        b"nonsense",
        b'{"b": [1, 2]}',
        b"",
    ]


@pytest.mark.parametrize("size", [1000, 100_000, 10_000_000])
def test_a_line_without_an_end_is_named_once_and_never_kept(size: int) -> None:
    splitter = Splitter(ITEM_BYTES)
    text = b'{"a": 1}\n{"' + b"x" * (3 * ITEM_BYTES) + b'\n{"a": 2}\n'
    found: list[Item] = []
    for start in range(0, len(text), size):
        found += splitter.feed(text[start : start + size])
    found += list(splitter.finish())
    assert [(item.line, item.too_long) for item in found] == [(1, False), (2, True), (3, False)]


def test_an_element_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    splitter = Splitter(ITEM_BYTES)
    list(splitter.feed(b'["' + b"x" * ITEM_BYTES))
    with pytest.raises(InvalidInputError, match="longer than"):
        list(splitter.feed(b"x" * ITEM_BYTES))


@pytest.mark.parametrize("text", [b"[1, 2", b"[", b'["a]', b"[[1]"])
def test_a_list_that_does_not_end_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInputError, match="does not end"):
        split(text, 3)


def test_what_follows_the_list_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="follows"):
        split(b"[1] 2", 100)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_lines_are_counted_from_the_bodys_first_however_many_are_blank(size: int) -> None:
    assert [item.line for item in split(b"\xef\xbb\xbf\n\r\n  \n{}\n\n{}", size)] == [4, 6]

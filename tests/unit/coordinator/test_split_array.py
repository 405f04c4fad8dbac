"""Replies that are taken apart and put together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_dynomite.coordinator.scatter import split_array
from trio_dynomite.protocol.replies import NULL, array, bulk

replies = st.one_of(st.binary(max_size=30).map(bulk), st.sampled_from([NULL[2], NULL[3]]))


@given(st.lists(replies, max_size=15))
def test_an_array_is_its_elements(elements: list[bytes]) -> None:
    assert split_array(array(elements)) == elements


@pytest.mark.parametrize("value", [b"", b"\r\n", b"$5\r\nhello\r\n", b"*2\r\n", b"\n" * 2000, b"x" * 5000])
def test_values_that_look_like_the_protocol_are_values(value: bytes) -> None:
    elements = [bulk(value), NULL[2], bulk(value)]

    assert split_array(array(elements)) == elements

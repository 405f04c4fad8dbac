"""Operations of several commands, and messages to many."""

import random

from benchmarks.conversation import Conversation
from benchmarks.fanout import FanOut
from tests.unit.benchmarks.commands import sent

MOVE = Conversation(
    commands=(("MULTI",), ("GET", "{t0}:__rand_int__"), ("DEL", "{t0}:__rand_int__"), ("EXEC",)),
    in_flight=2,
    random_keys=50,
)


def test_a_batch_has_as_many_operations_as_are_in_flight() -> None:
    batches = list(MOVE.requests(3, random.Random(1)))
    assert len(batches) == 3
    assert [[words[0] for words in sent(batch)] for batch in batches] == [
        [b"MULTI", b"GET", b"DEL", b"EXEC"] * 2
    ] * 3
    assert MOVE.batch == 100


def test_the_commands_of_an_operation_have_the_same_key_and_others_another() -> None:
    commands = sent(b"".join(MOVE.requests(1000, random.Random(1))))
    read = [words[1] for words in commands if words[0] == b"GET"]
    assert read == [words[1] for words in commands if words[0] == b"DEL"]
    assert set(read) == {b"{t0}:%012d" % number for number in range(50)}


def test_what_is_due_of_a_message_is_what_a_server_sends() -> None:
    work = FanOut(words=("PUBLISH", "news", "xyz"), in_flight=16, subscribers=50)
    assert work.message_bytes == len("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\nxyz\r\n")
    assert work.reply_bytes == len(":50\r\n")
    assert sent(work.request) == [[b"PUBLISH", b"news", b"xyz"]] * 16
    assert work.batch == 16

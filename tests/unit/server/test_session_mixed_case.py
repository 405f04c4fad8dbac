"""Program order does not depend on how a command's name is written."""

import pytest

from tests.unit.server.session_subject import Stage


@pytest.mark.parametrize("command", ["KEYS", "keys", "Keys", "kEYS"])
def test_a_look_at_every_key_waits_for_the_writes_under_way(command: str) -> None:
    stage = Stage()
    theirs = stage.key_led_by("n2")
    stage.say(("SET", theirs, "v"), (command, "*"))

    assert stage.pipe.is_held
    assert len(stage.asked) == 1

"""The syntax of a command in one line, from the tree of arguments in `reference.json`."""

from collections.abc import Sequence
from typing import Any

from trio_dynomite.commands.reference import docs


def syntax(name: str) -> str:
    """What stands behind the name of command `name`, a subcommand as `parent|child`: `key [NX | XX]`."""
    return " ".join(_argument(argument) for argument in docs(name).get("arguments", ()))


def _argument(argument: dict[str, Any]) -> str:
    text = _body(argument)
    flags = argument.get("flags", ())
    token = argument.get("token", "")
    if argument["type"] == "pure-token":
        text = token
    elif token:
        text = f"{token} {text}"
    if "multiple" in flags:
        again = text if "multiple_token" in flags or not token else text.removeprefix(f"{token} ")
        text = f"{text} [{again} ...]"
    return f"[{text}]" if "optional" in flags else text


def _body(argument: dict[str, Any]) -> str:
    inside: Sequence[dict[str, Any]] = argument.get("arguments", ())
    if argument["type"] == "oneof":
        choices = " | ".join(_argument(choice) for choice in inside)
        return choices if "optional" in argument.get("flags", ()) else f"({choices})"
    if argument["type"] == "block":
        return " ".join(_argument(part) for part in inside)
    return str(argument.get("display_text", argument["name"]))

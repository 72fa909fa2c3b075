"""The errors a user can mend, each with the exit code the command line gives it, and the parser's in plain words."""

import re
from collections.abc import Iterable
from difflib import get_close_matches


class ConfigError(ValueError):
    """A key, a value, a phase or a class count is wrong; the message says which and what would be right."""

    exit_code = 2


class DataError(ValueError):
    """A folder, a table, a score, an image or a checkpoint is missing or invalid; the message names it."""

    exit_code = 3


class DivergedError(RuntimeError):
    """Losses or gradients stayed not finite, also at lower rates."""

    exit_code = 5


KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list", "tuple": "a list"}
"""What the parser's types are called."""


def in_words(message: str, options: Iterable[str], verb: str) -> str:
    """Return what the parser says of a wrong option in the user's words; what is not recognised stays as it is.

    Args:
        message: the parser's.
        options: those of the verb, with their dashes.
        verb: such as "fit".
    """
    message = " ".join(message.split())
    if found := re.match(r'Parser key "([^"]+)":? (.*(?:Got|Given) value: (.*))$', message):
        key, rest, value = found.groups()
        kinds = re.findall(r"Expected an? (typing\.Literal\[[^\]]*\]|<class '[^']+'>|[\w.]+\[[^\]]*\])", rest)
        right = [words for kind in kinds if (words := _kind_in_words(kind))]
        if right and len(right) == len([kind for kind in kinds if "NoneType" not in kind]):
            example = f": [{value}]" if right == ["a list"] and "[" not in value and "," in value else ""
            return f"--{key} is {value}, but it must be {' or '.join(dict.fromkeys(right))}{example}."
    if found := re.match(r"[Uu]nrecognized arguments: (-[^\s=]*)", message):
        option = found[1]
        known = [name for name in options if name.startswith("--")]
        near = [name for name in known if name.startswith(option)] or get_close_matches(option, known, cutoff=0.8)
        return (
            f"{verb} has no option {option}; {f'there is {near[0]}' if near else f'`gada {verb} --help` lists them'}."
        )
    if found := re.match(r"the following arguments are required: (.*)", message):
        names = [name if name == "paths" else f"--{name.lstrip('-')}" for name in found[1].split(", ")]
        return f"{verb} needs {', '.join(names)}; `gada {verb} --help` explains."
    return message


def _kind_in_words(kind: str) -> str:
    """Return what a type of the parser's means: "a, b or c" for a choice; "" for one without a name."""
    if kind.startswith("typing.Literal"):
        *others, last = (choice.strip(" '\"") for choice in kind.partition("[")[2].rstrip("]").split(", "))
        return f"{', '.join(others)} or {last}" if others else last
    name = re.sub(r"<class '(.*)'>", r"\1", kind)
    return KINDS.get(name.partition("[")[0], "")

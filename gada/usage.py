"""What the command line's parser complains of, in the user's words."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap
from time import monotonic
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

ELSEWHERE = {
    "run": ("model", "paths"),
    "model": ("paths",),
    "checkpoint": ("model", "from", "paths"),
    "images": ("paths", "references", "photos", "data.root"),
    "input": ("paths", "references", "photos", "data.root"),
    "photos": ("references", "paths"),
    "references": ("photos", "paths"),
    "output": ("out", "run"),
}
"""What an option that another verb or program has is called here; the first that the verb takes."""
BEGAN = monotonic()  # of this process, all but its first tenth of a second


def ended(wrote: str = "", following: str = "") -> None:
    """Say on standard error, where it is in nobody's way, what a verb wrote, the next command, and the time it took."""
    seconds = monotonic() - BEGAN
    said = f"wrote {wrote}, in {seconds:.0f} s." if wrote else f"done in {seconds:.0f} s."
    sys.stderr.write(f"gada: {said}" + (f" Next: {following}" if following else "") + "\n")


def listed_files(*files: Path | None) -> str:
    """Return the names of those files that a verb wrote."""
    return " and ".join(str(file) for file in files if file)


def explained(message: str, verb: str, verbs: Iterable[str], kinds: Mapping[str, Any], words: Sequence[str]) -> str:
    """Return what the parser complains of in the user's words; what has no better words, as the parser says it."""
    found: dict[str, str] = {}

    def says(pattern: str) -> bool:
        match = re.search(pattern, message)
        found.update(match.groupdict() if match else {})
        return match is not None

    files = settings_files(kinds, words)
    if says("invalid choice: '(?P<word>.*?)'"):
        known = [name for name in verbs if name.startswith(f"{verb} ")]
        name = f"{verb} {found['word']}" if known else found["word"]
        last = [one.removeprefix(f"{verb} ") for one in known or verbs]
        return f"unknown verb '{name}'; {likely(found['word'], last)}known are {', '.join(known or verbs)}."
    if says("unrecognized arguments: (?P<word>[^ =]*)"):
        return f"`gada {verb}` does not take '{found['word']}'{nearest(found['word'], kinds)}"
    if says("(Group '(?P<group>.*?)' does not accept o|O)ption '(?P<word>.*?)'"):
        key = ".".join(filter(None, [found["group"], found["word"]]))
        return f"{key} in {files} is not a setting of `gada {verb}`{nearest(key, kinds)}"
    if says("argument (?P<option>--[^:]*): expected one argument"):
        return f"{found['option']} needs a value."
    if says("arguments are required: (?P<names>.*)"):
        names = [name.rpartition(".")[2] for name in found["names"].split(", ")]
        wanted = " and ".join("PATHS" if name == "paths" else f"--{name}" for name in names)
        return f"`gada {verb}` needs {wanted}; `gada {verb} --help` says what that is."
    if says('"config": File does not exist'):
        return f"--config {files} does not exist."
    if says("(Problems parsing config: |(?=Key must be))(?P<detail>.*)|Unexpected config"):
        detail = (found["detail"] or "").rstrip(".")
        return f"{files} is not a YAML file of settings{': ' + detail if detail else ''}."
    if says(r"Parser key \"(?P<head>\w+)\".*NestedArg\(key='(?P<rest>[\w.]+)'"):
        return f"`gada {verb}` does not take '--{found['head']}.{found['rest']}'; did you mean --{found['head']}?"
    if says('Parser key "(?P<key>.*?)".*?(Got value: |Given value: |load config )(?P<value>.*?)( - Parser.*)?$'):
        key, value = found["key"], found["value"].strip("'")
        given = any(word.partition("=")[0] == f"--{key}" for word in words)
        kind = kind_at(key, kinds)
        bare = re.search("Expected a <class '(list|tuple)'>", message)
        hint = f"; write '[{value}]'" if bare else ""
        like = likely(value, map(str, get_args(kind) if get_origin(kind) is Literal else ())).removesuffix(" ")
        hint = f"; {like}".removesuffix(";") if like else f"{hint}."
        return f"{'--' if given else ''}{key} is {value} but must be {described(kind)}{hint}"
    return message


def likely(word: str, known: Iterable[str]) -> str:
    """Return a question for the one of some names that is spelled most like a word; "" if none is."""
    like = get_close_matches(word, list(known), 1, cutoff=0.6)
    return f"did you mean {like[0]}? " if like else ""


def plainly(value: Any) -> str:
    """Return a default as a user would write it."""
    if isinstance(value, bool) or value is None:
        return "not set" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(plainly, value))}]"
    return str(value)


def listed(group: str, kind: Any) -> str:
    """Return each setting of a group: its name, what a value looks like, its default, and the sentence under it."""
    from docstring_parser import parse_from_object

    texts = {item.args[1]: item.description or "" for item in parse_from_object(kind).params}
    types, lines = get_type_hints(kind), []
    for one in fields(kind):
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        lines.append(f"--{group}.{one.name}: {described(types[one.name])} (default: {plainly(default)})")
        text = texts.get(one.name, "")
        lines += wrap(" ".join(text.split()), width=100, initial_indent="    ", subsequent_indent="    ")
    return "\n".join([*lines, ""])


def settings_files(kinds: Mapping[str, Any], words: Sequence[str]) -> str:
    """Return the files of settings that are named on the command line."""
    options = {"--config", *(f"--{name}" for name, kind in kinds.items() if is_dataclass(kind))}
    pairs = [(*word.split("=", 1), following)[:2] for word, following in zip_longest(words, words[1:], fillvalue="")]
    return " or ".join(value for option, value in pairs if option in options)


def nearest(word: str, kinds: Mapping[str, Any]) -> str:
    """Return a hint at the option that is spelled like this one, or does what it does elsewhere; end the sentence."""
    keys = [name.rstrip("_") for name in kinds]
    keys += [f"{name}.{one.name}" for name, kind in kinds.items() if is_dataclass(kind) for one in fields(kind)]
    dashes, key = word[: len(word) - len(word.lstrip("-"))], word.lstrip("-")
    alike = [name for name in keys if ("." in name) == ("." in key)]
    like = get_close_matches(key, alike, 1, cutoff=0.7) or [name for name in alike if key and name.startswith(key)]
    like = like or [name for name in keys if name.rpartition(".")[2] == key.rpartition(".")[2]]
    like = like or [name for name in ELSEWHERE.get(key, ()) if name in keys]
    if like[:1] == ["paths"]:
        return f"; give PATHS alone, without {word}."
    return f"; did you mean {dashes}{like[0]}?" if like else "; --help lists what it takes."


def kind_at(key: str, kinds: Mapping[str, Any]) -> Any:
    """Return the type behind a dotted key."""
    head, _, rest = key.partition(".")
    kind = kinds.get(head, kinds.get(f"{head}_"))
    return kind_at(rest, get_type_hints(kind)) if rest and is_dataclass(kind) else kind


def described(kind: Any) -> str:
    """Say in words what a value of a type looks like."""
    plain = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", NoneType: "null"}
    inner = get_args(kind)
    if kind in plain:
        return plain[kind]
    if is_dataclass(kind):
        return "a YAML file of settings, or its keys"
    if get_origin(kind) is Literal:
        return " or ".join([", ".join(map(str, inner[:-1])), str(inner[-1])]) if inner[1:] else str(inner[0])
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(described(one) for one in inner if one is not NoneType)
    if get_origin(kind) in (list, tuple):
        return f"a list in brackets, each {described(inner[0])}"
    return "a path" if kind is Path else "of another type"

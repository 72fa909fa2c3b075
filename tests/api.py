"""The reference in docs/api.md, from the docstrings of the public names; `make tables` writes it again."""

from collections.abc import Iterator
from inspect import Parameter, getdoc, isclass, signature
from pathlib import Path
from typing import Any

from docstring_parser import DocstringMeta, parse, parse_from_object

import gada
from gada.reports.markdown import replace_block

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
METHODS = {  # what users call, by the name of an object; the other methods are for the parts of a scorer
    "Scorer": ("scorer", ("__call__", "score_all", "predict_map", "describe")),
    "DifferentiableScorer": ("loss", ("forward",)),
    "QualityScore": ("metric", ("update", "compute")),
}


def main() -> None:
    """Write the page's block."""
    replace_block(PAGE, "tests/api.py", reference())


def reference() -> str:
    """Return the reference as Markdown."""
    return "\n".join(line for name in sorted(gada.__all__, key=str.lower) for line in entry(name))


def entry(name: str) -> Iterator[str]:
    """Yield the lines of a public name, its attributes and methods."""
    thing = getattr(gada, name)
    yield f"### `gada.{name}{called(thing) if name not in ('Prediction', 'QualityMap', 'Scorer') else ''}`\n"
    yield from told(thing, attributes=isclass(thing) and name not in METHODS)
    own, methods = METHODS.get(name, ("", ()))
    for method in methods:
        shown = own if method in ("__call__", "forward") else f"{own}.{method}"
        yield f"#### `{shown}{called(getattr(thing, method))}`\n"
        yield from told(getattr(thing, method))


def called(function: Any) -> str:
    """Return the arguments of a call with their defaults, without types."""
    given = [one for one in signature(function).parameters.values() if one.name != "self"]
    stars: dict[Any, str] = {Parameter.VAR_KEYWORD: "**", Parameter.VAR_POSITIONAL: "*"}
    names = [
        stars.get(one.kind, "") + one.name + ("" if one.default is Parameter.empty else f"={one.default!r}")
        for one in given
    ]
    keyword = next((at for at, one in enumerate(given) if one.kind is Parameter.KEYWORD_ONLY), None)
    return f"({', '.join(names if keyword is None else [*names[:keyword], '*', *names[keyword:]])})"


def told(thing: Any, attributes: bool = False) -> Iterator[str]:
    """Yield a docstring as Markdown: what it is, then a line for each argument, result and error."""
    found = parse_from_object(thing) if attributes else parse(getdoc(thing) or "")
    yield plain(found.short_description)
    if found.long_description:
        yield f"\n{plain(found.long_description)}"
    yield ""
    for one in found.params:
        yield f"- `{one.arg_name}`: {plain(one.description)}"
    if found.returns:
        yield f"- {'yields' if found.returns.is_generator else 'returns'} {plain(described(found.returns))}"
    for error in found.raises:
        yield f"- raises `{error.type_name}` {plain(error.description)}"
    yield ""


def described(returns: DocstringMeta) -> str:
    """Return what a docstring says of a result; the parser takes the words before a colon for a type."""
    kind = getattr(returns, "type_name", None)
    return f"{kind}: {returns.description}" if kind else str(returns.description)


def plain(text: str | None) -> str:
    """Return a text in one line."""
    return " ".join((text or "").split())


if __name__ == "__main__":
    main()

"""The parser's messages in the user's words, through the real command line."""

import pytest

from gada.__main__ import main
from gada.errors import in_words


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("score a.png --mode full", "--mode is full, but it must be grid, crops or dense."),
        ("fit --phase 4", "--phase is 4, but it must be 1, 2, 3, all or baseline."),
        ("score a.png --jobs x", "--jobs is x, but it must be a whole number."),
        ("score a.png --float-range 3", "--float_range is 3, but it must be a list."),
        ("fit --training.batch_size many", "--training.batch_size is many, but it must be a whole number."),
        ("classify fit --strategies 8,9", "--strategies is 8,9, but it must be a list: [8,9]."),
        ("evaluate --data.decimal x", "--data.decimal is x, but it must be . or ,."),
        ("score a.png --crop 3", "score has no option --crop; there is --crops."),
        ("fit --data.rot x", "fit has no option --data.rot; there is --data.root."),
        ("score a.png --nothing", "score has no option --nothing; `gada score --help` lists them."),
        ("synthesize --references a", "synthesize needs --out; `gada synthesize --help` explains."),
        ("score", "score needs paths; `gada score --help` explains."),
    ],
)
def test_wrong_usage_is_told_in_the_users_words(
    arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 2
    assert capsys.readouterr().err == f"gada: {sentence}\n"


def test_what_is_not_recognised_stays() -> None:
    assert in_words("Some  other\nmessage", ["--a"], "fit") == "Some other message"
    nested = "Parser key \"a\": Expected a <class 'gada.Thing'>. Got value: 3"
    assert in_words(nested, ["--a"], "fit") == nested

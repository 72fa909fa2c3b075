"""The command line: a table of verbs, each a typed function in `gada.commands`."""

import os
import sys
from argparse import SUPPRESS
from collections.abc import Callable, Iterator, Sequence
from errno import EDQUOT, EIO, ENOSPC
from importlib import import_module
from inspect import signature
from io import TextIOWrapper
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NoReturn, get_origin

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

VERBS = {
    "fit": "train an evaluator: phases 1, 2, 3 of GADA, or the direct baseline",
    "benchmark": "baseline and phases 1 to 3 on several splits, with a report that can be cited",
    "evaluate": "correlation of a trained evaluator with the scores of a database",
    "trust": "what a sceptic would show a model: noise, blur, blank frames, camera sizes",
    "dlp": "D-test, L-test and P-test of an evaluator, on photographs without scores",
    "score": "predict the quality of pictures",
    "export": "write an evaluator as ONNX, OpenVINO or torch.export",
    "doctor": "check versions, devices, disk and data",
    "serve": "score pictures over HTTP, with a page to drop them on",
    "generate": "look at what a generator makes: references x classes x qualities",
    "study": "train one split or several with one thing changed at a time",
    "table": "result files in the layouts of the paper's tables",
    "synthesize": "make a scored set of distorted images from photographs",
    "distortions": "list the distortion families, or draw TID2013's 24 types of one photograph",
    "sweep": "what quality distortions cost a classifier",
    "metrify fit": "train a network that predicts a classifier's error from the image alone",
    "metrify evaluate": "predicted against true error, beside softmax, SSIM and quality",
    "metrify predict": "the error that a classifier is expected to make on pictures",
    "classify fit": "train classifiers with quality-guided label smoothing (IQA-LS)",
    "classify evaluate": "accuracy and calibration of trained classifiers on distorted images",
    "classify table": "results of classifiers in the layouts of the paper",
    "fidelity": "how near the re-simulated TID2013 comes to the published one",
}


RESUMED = ("fit", "benchmark", "study", "synthesize", "sweep", "classify fit", "metrify fit")
RESUMED_OUT = ("score", "metrify predict")  # with --out


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code (0 done, 2 wrong usage, 3 data missing or invalid, 130 interrupted)."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # else a name that a terminal cannot show would end the work
            stream.reconfigure(errors="backslashreplace")
    if not arguments or arguments[0] in ("-h", "--help"):
        print_verbs()
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from gada import __version__

        say(f"gada {__version__}", sys.stdout)
        return 0
    verb, options = verb_of(arguments)
    below = [name for name in VERBS if name.startswith(f"{verb} ")]
    if below and set(options) <= {"-h", "--help"}:
        print_verbs(below)
        return 0 if options else 2
    if verb not in VERBS:
        return refuse(f"unknown verb '{verb}'; known are {', '.join(VERBS)}.", 2)
    return run(verb, options)


def verb_of(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the verb, which has one or two words (`fit`, `classify fit`), and its options."""
    words = 2 if " ".join(arguments[:2]) in VERBS else 1
    return " ".join(arguments[:words]), list(arguments[words:])


def function_of(verb: str) -> Callable[..., Any]:
    """Return the function behind a verb: `classify fit` is `fit` in `gada.commands.classify`."""
    file, name = verb.split()[0], verb.split()[-1]
    function: Callable[..., Any] = getattr(import_module(f"gada.commands.{file}"), name)
    return function


def run(verb: str, options: list[str]) -> int:
    """Parse the options of a verb and call it; a user's mistake becomes one sentence and an exit code."""
    from gada.settings import preset_files

    function = function_of(verb)
    try:
        parser = build_parser(verb, function)
        if {"-h", "--help"} & set(options):
            shorten_help(parser)
        options = list(spelled(options, function))
        if "preset" in parser.get_defaults():  # read before the user's config
            parser.default_config_files = preset_files(options)
        values = vars(parser.instantiate(parser.parse_args(options)))
        values.pop("config")
        code = function(**{python_name(name, function): value for name, value in values.items()}) or 0
        sys.stdout.flush()  # what cannot be written should be known here
        return code
    except SystemExit as stop:  # --help and --print_config
        return int(stop.code or 0)
    except BrokenPipeError:  # whoever read our output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is not None or error.errno not in (ENOSPC, EDQUOT, EIO):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try again at its end
        return refuse(f"the results cannot be written ({error.strerror}); free some space.", 3)
    except KeyboardInterrupt:
        goes_on = verb in RESUMED or (verb in RESUMED_OUT and any(option.startswith("--out") for option in options))
        return refuse(f"interrupted{'; the same command goes on where it stopped' if goes_on else ''}.", 130)
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        return refuse(str(error), code)


def spelled(options: Sequence[str], function: Callable[..., Any]) -> Iterator[str]:
    """Yield the options as the parser knows them.

    `--max-pixels` is `--max_pixels`, `--json` alone is `--json=true`, and `--seeds 0,1` is `--seeds [0,1]`.
    """
    from gada.settings.shared import config_for

    kinds = {name: item.annotation for name, item in signature(function, eval_str=True).parameters.items()}
    flags = {name for name, kind in kinds.items() if kind is bool}
    lists = {f"--{name}" for name, kind in kinds.items() if get_origin(kind) in (list, tuple)} | {"--distortions"}
    for previous, option, following in zip_longest(["", *options[:-1]], options, options[1:]):
        if previous == "--config":
            yield config_for(option, kinds)
            continue
        if previous in lists and not option.startswith(("[", "--")):
            yield f"[{option}]"
            continue
        name, equals, value = option.partition("=")
        value = config_for(value, kinds) if name == "--config" and equals else value
        if name in lists and equals and not value.startswith("["):
            value = f"[{value}]"
        if name.startswith("--"):
            name = "--" + name[2:].replace("-", "_")
            if name[2:] in flags and not equals and following not in ("true", "false"):
                equals, value = "=", "true"
        yield name + equals + value


def build_parser(verb: str, function: Callable[..., Any]) -> "ArgumentParser":
    """Return the parser of one verb: its signature is its command line and its config file."""
    from jsonargparse import ArgumentParser, DefaultHelpFormatter, set_parsing_settings

    from gada.errors import ConfigError
    from gada.settings import explained

    class Parser(ArgumentParser):  # type: ignore[misc, unused-ignore]
        def error(self, message: str, error: Exception | None = None) -> NoReturn:
            raise ConfigError(explained(" ".join(message.split()))) from error

        def parse_path(self, cfg_path: Any, **kwargs: Any) -> Any:
            try:
                return super().parse_path(cfg_path, **kwargs)
            except UnicodeDecodeError as error:
                raise ConfigError(f"--config {cfg_path} is no text in UTF-8; give a YAML file of settings.") from error

        def parse_args(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().parse_args(*args, **kwargs)
            except UnicodeDecodeError as error:  # of a group, as in --data FILE, which is read elsewhere
                raise ConfigError("a group of settings names a file that is no text in UTF-8; give YAML.") from error

    class Formatter(DefaultHelpFormatter):  # type: ignore[misc, unused-ignore]
        def _get_help_string(self, action: Any) -> str:
            default = action.default
            shown = default is not None and default is not SUPPRESS and default != "==SUPPRESS=="
            return (action.help or "") + (f" (default: {default})" if shown else "")

        def _fill_text(self, text: str, width: int, indent: str) -> str:  # noqa: ARG002
            return text

    set_parsing_settings(docstring_parse_attribute_docstrings=True)  # a line under each field of the settings
    parser = Parser(
        prog=f"gada {verb}", description=f"{verb}: {VERBS[verb]}.", formatter_class=Formatter, allow_abbrev=False
    )
    parser.add_argument("--config", action="config", help="YAML file with any of these settings; may be repeated.")
    special: set[str | int] = {name for name in signature(function).parameters if name == "paths" or name.endswith("_")}
    parser.add_function_arguments(function, skip=special, fail_untyped=True, sub_configs=True)
    for name, text in argument_help(function).items():
        if name not in special:
            continue
        if name == "paths":
            parser.add_argument("paths", nargs="+", help=text)
        else:  # a Python keyword, as in --from
            parser.add_argument(f"--{name.rstrip('_')}", type=str, default=None, help=text)
    return parser


def argument_help(function: Callable[..., Any]) -> dict[str, str]:
    """Return what the docstring says of each parameter."""
    from docstring_parser import parse

    return {item.arg_name: item.description or "" for item in parse(function.__doc__ or "").params}


def python_name(option: str, function: Callable[..., Any]) -> str:
    """Return the parameter behind an option; `--from` is `from_`."""
    return f"{option}_" if f"{option}_" in signature(function).parameters else option


def shorten_help(parser: "ArgumentParser") -> None:
    """Keep a verb's help on one screen: a group of settings is one entry that names its keys."""
    groups: dict[str, list[str]] = {}
    for action in parser._actions:
        group, _, key = action.dest.partition(".")
        if key:
            groups.setdefault(group, []).append(key)
    for action in parser._actions:
        if action.dest.split(".")[0] in groups:
            action.help = SUPPRESS
    parser._action_groups = [group for group in parser._action_groups if group.title not in (None, *groups)]
    lines = ["settings, as --GROUP.KEY VALUE or in the config file (explained in gada/settings/):"] if groups else []
    for name, keys in groups.items():
        lines += wrap(" ".join(keys), width=100, initial_indent=f"  {name + '.':<14}", subsequent_indent=" " * 16)
    parser.epilog = "\n".join(lines)


def print_verbs(verbs: Sequence[str] = tuple(VERBS)) -> None:
    """Print the table of verbs."""
    say("usage: gada VERB [options]\n\nNo-reference image quality assessment with GADA.\n", sys.stdout)
    for verb in verbs:
        say(f"  {verb:<18}{VERBS[verb]}", sys.stdout)
    say("\n`gada VERB --help` shows a verb's options.", sys.stdout)


def refuse(sentence: str, code: int) -> int:
    """Say on standard error what is wrong, and return the exit code."""
    say(f"gada: {sentence}", sys.stderr)
    return code


def say(text: str, stream: Any) -> None:
    """Write one line."""
    stream.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())

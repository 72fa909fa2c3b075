"""The command line: jsonargparse's subcommands, one for each verb, each a typed function in `gada.commands`."""

import os
import sys
from argparse import ArgumentError, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from errno import EDQUOT, EIO, ENOSPC
from importlib import import_module
from inspect import Parameter, signature
from io import TextIOWrapper
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap
from time import monotonic
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

from gada import usage
from gada.io.threads import share_the_machine

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

VERBS = {
    "fit": "train an evaluator: phases 1, 2, 3 of GADA, or the direct baseline",
    "benchmark": "baseline and phases 1 to 3 on several splits, with a report that can be cited",
    "evaluate": "correlation of a trained evaluator with the scores of a database",
    "trust": "what a sceptic would show a model: noise, blur, blank frames, camera sizes",
    "dlp": "D-test, L-test and P-test of an evaluator, on photos without scores",
    "score": "predict the quality of images",
    "export": "write an evaluator as ONNX, OpenVINO or torch.export",
    "doctor": "check versions, devices, disk and data",
    "serve": "score images over HTTP, with a page to drop them on",
    "generate": "look at what a generator makes: references x classes x qualities",
    "study": "train one split or several with one thing changed at a time",
    "table": "result files in the layouts of the paper's tables",
    "synthesize": "make a scored set of distorted images from photos",
    "distortions": "list the distortion families, or draw TID2013's 24 types of one photo",
    "sweep": "what quality distortions cost a classifier",
    "layers": "how far distortions change each layer of a classifier",
    "metrify fit": "train a network that predicts a classifier's error from the image alone",
    "metrify evaluate": "predicted against true error, beside softmax, SSIM and quality",
    "metrify learn": "train a classifier without the images of worst predicted error",
    "metrify predict": "the error that a classifier is expected to make on images",
    "classify fit": "train classifiers with quality-guided label smoothing (IQA-LS)",
    "classify evaluate": "accuracy and calibration of trained classifiers on distorted images",
    "classify table": "results of classifiers in the layouts of the paper",
    "classify figures": "the paper's figures from results of classifiers",
    "fidelity": "how near the re-simulated TID2013 comes to the published one",
}

RESUMED = ("fit", "benchmark", "study", "synthesize", "sweep", "classify fit", "metrify fit", "metrify learn")
RESUMED_OUT = ("score", "metrify predict")  # with --out

Function = Callable[..., Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code (0 done, 2 wrong usage, 3 data missing or invalid, 130 interrupted)."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # else a name that a terminal cannot show would end the work
            stream.reconfigure(errors="backslashreplace")
    share_the_machine()
    usage.BEGAN = monotonic()
    try:
        code = run(arguments)
        sys.stdout.flush()  # what cannot be written should be known here
        return code
    except SystemExit as stop:  # --help, --version and --print_config
        return int(stop.code or 0)
    except BrokenPipeError:  # whoever read our output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is not None or error.errno not in (ENOSPC, EDQUOT, EIO):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would try again at its end
        return fail(f"the results cannot be written ({error.strerror}); free some space.", 3)
    except KeyboardInterrupt:
        verb, options = verb_of(arguments)
        resumes = verb in RESUMED or (verb in RESUMED_OUT and any(option.startswith("--out") for option in options))
        return fail(f"interrupted{'; the same command resumes where it stopped' if resumes else ''}.", 130)
    except Exception as error:
        code = getattr(error, "exit_code", 1)
        if code == 1:
            raise
        return fail(str(error), code)


def run(arguments: list[str]) -> int:
    """Parse the arguments and call the verb's function."""
    verb, options = verb_of(arguments)
    if not options and verb in {"", *(name.partition(" ")[0] for name in VERBS if " " in name)}:
        with suppress(SystemExit):  # no verb, or a word that several begin with
            build_parser("").parse_args([*arguments, "--help"])
        return 2
    if arguments == ["--version"]:
        sys.stdout.write(f"gada {version_with_commit()}\n")
        return 0
    if explain_group(verb, options):
        return 0
    values = parse(arguments)
    return function_of(verb)(**values) or 0


def version_with_commit() -> str:
    """Return the version and, where the code is a clone, its commit."""
    from gada import __version__
    from gada.io.records import commit

    return f"{__version__} (commit {known})" if (known := commit()) else __version__


def verb_of(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the verb, which has one or two words (`fit`, `classify fit`), and its options."""
    words = 2 if " ".join(arguments[:2]) in VERBS else 1
    return " ".join(arguments[:words]), list(arguments[words:])


def function_of(verb: str) -> Function:
    """Return the function behind a verb: `classify fit` is `fit` in `gada.commands.classify`."""
    file, name = verb.split()[0], verb.split()[-1]
    function: Function = getattr(import_module(f"gada.commands.{file}"), name)
    return function


def build_parser(verb: str, brief: bool = False, preset: Sequence[str] = ()) -> "ArgumentParser":
    """Return the parser of a verb, or one that only knows the verbs' names where there is no such verb.

    Args:
        verb: the verb that was given; "" for none.
        brief: for a help on one screen: a group of settings is one entry that names its keys, and cannot be parsed.
        preset: files with the settings of the preset that was named.
    """
    from jsonargparse import ArgumentParser

    from gada import __version__

    common: dict[str, Any] = {"formatter_class": RawDescriptionHelpFormatter, "allow_abbrev": False}
    if verb in VERBS:
        usage = f"gada {verb} [options]" + (" PATHS ..." if "paths" in kinds_of(function_of(verb)) else "")
        text = f"{verb}: {VERBS[verb]}."
        parser = ArgumentParser(prog=f"gada {verb}", usage=usage, description=text, exit_on_error=False, **common)
        add_options(parser, function_of(verb), brief)
        parser.default_config_files = list(preset)  # read before the user's config
        return parser
    parser = ArgumentParser(
        prog="gada",
        description="No-reference image quality assessment with GADA.",
        epilog="`gada VERB --help` shows a verb's options.",
        version=__version__,
        exit_on_error=False,
        **common,
    )
    verbs = {"": parser.add_subcommands(dest="verb", metavar="VERB", title="verbs", description=None)}
    for name, text in VERBS.items():
        group, _, last = name.rpartition(" ")
        if group not in verbs:
            below = [one.split()[1] for one in VERBS if one.startswith(f"{group} ")]
            head = verbs[""].add_subcommand(group, ArgumentParser(), help=f"{' | '.join(below)}: {text}")
            head.prog = f"gada {group}"
            verbs[group] = head.add_subcommands(dest="verb", metavar="VERB", title="verbs", description=None)
        verbs[group].add_subcommand(last, ArgumentParser(), help=text)
    return parser


def add_options(parser: "ArgumentParser", function: Function, brief: bool) -> None:
    """Make the signature of a function the options of a parser, and the keys of its config file."""
    parser.add_argument("--config", action="config", help="YAML file with any of these settings; may be repeated.")
    lines = []
    for name, (kind, default, text) in options_of(function).items():
        if is_dataclass(kind) and brief:
            keys = " ".join(field.name for field in fields(kind))
            lines += wrap(keys, width=100, initial_indent=f"  {name + '.':<14}", subsequent_indent=" " * 16)
        elif name == "paths":
            parser.add_argument("paths", type=str, nargs="+", help=text)
        else:
            option = f"--{name.rstrip('_')}"  # --from is a keyword of Python: from_
            if default is Parameter.empty:
                parser.add_argument(option, type=kind, required=True, help=f"{text} Must be given.")
                continue
            shown = "" if default is None or is_dataclass(kind) else f" (default: {usage.plainly(default)})"
            parser.add_argument(option, type=kind, default=default, help=text + shown, sub_configs=is_dataclass(kind))
    if lines:
        head = "settings, as --GROUP.KEY VALUE or in the config file; --help.GROUP, as in --help.data, explains them:"
        parser.epilog = "\n".join([head, *lines])


def explain_group(verb: str, options: Sequence[str]) -> bool:
    """Print what `--help.GROUP` asks for, if one does: each setting of a group with its sentence and default."""
    from gada.errors import ConfigError

    group = next((option.removeprefix("--help.") for option in options if option.startswith("--help.")), None)
    if group is None or verb not in VERBS:
        return False
    groups = {name: kind for name, kind in kinds_of(function_of(verb)).items() if is_dataclass(kind)}
    if group not in groups:
        raise ConfigError(f"`gada {verb}` has no settings '{group}'; it has {', '.join(groups) or 'none'}.")
    sys.stdout.write(usage.listed(group, groups[group]))
    return True


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """Return what the verb's function is to be called with.

    Raises:
        ConfigError: if the verb, an option, a value or a config file is wrong.
        DataError: if a value is a URL.
        SystemExit: after --help, --version and --print_config.
    """
    from jsonargparse import Namespace

    from gada.errors import ConfigError
    from gada.io.files import check_not_url
    from gada.settings import preset_files
    from gada.settings.names import renamed
    from gada.usage import described, explained, settings_files

    verb, options = verb_of(arguments)
    kinds = kinds_of(function_of(verb)) if verb in VERBS else {}
    words = list(spelled(options, kinds))
    preset = preset_files(words) if "preset" in kinds else []
    parser = build_parser(verb, not {"-h", "--help"}.isdisjoint(options), preset)
    try:
        given = parser.parse_args(words if verb in VERBS else list(arguments))
        for name in (name for name, kind in kinds.items() if is_dataclass(kind)):
            if not isinstance(given[name], Namespace):  # the parser takes `data: 5` of a config file
                raise ConfigError(f"{name} is {given[name]} but must be {described(kinds[name])}.")
        for value in given.values():
            check_not_url(value if isinstance(value, str | Path) else "")
        values = parser.instantiate(given)
    except ArgumentError as error:
        message = " ".join(str(error).split())
        raise ConfigError(renamed(message, verb) or explained(message, verb, VERBS, kinds, words)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{settings_files(kinds, words)} is not UTF-8 text; give a YAML file of settings.") from error
    return {name: values[name.rstrip("_")] for name in kinds}


def options_of(function: Function) -> dict[str, tuple[Any, Any, str]]:
    """Return type, default and explanation of each parameter; those of `**settings` are the fields of its settings."""
    from docstring_parser import parse, parse_from_object

    texts = {item.arg_name: item.description or "" for item in parse(function.__doc__ or "").params}
    parameters = signature(function, eval_str=True).parameters.items()
    found = {
        name: (one.annotation, one.default, texts[name]) for name, one in parameters if one.kind != one.VAR_KEYWORD
    }
    if kind := getattr(function, "settings", None):
        types = get_type_hints(kind)
        texts = {item.args[1]: item.description or "" for item in parse_from_object(kind).params}
        for one in fields(kind):
            default = one.default_factory() if one.default_factory is not MISSING else one.default
            found[one.name] = types[one.name], default, texts.get(one.name, "")
    return found


def kinds_of(function: Function) -> dict[str, Any]:
    """Return the type of each option."""
    return {name: kind for name, (kind, _, _) in options_of(function).items()}


def spelled(options: Sequence[str], kinds: Mapping[str, Any]) -> Iterator[str]:
    """Yield the options as the parser knows them.

    `--max-pixels` is `--max_pixels`, `--json` alone is `--json=true`, and `--seeds 0,1` is `--seeds [0,1]`.
    """
    from gada.io.files import check_not_url
    from gada.settings.shared import config_for

    with_model = not any(option.partition("=")[0] == "--model" for option in options)
    lists = {f"--{name}" for name, kind in kinds.items() if get_origin(kind) in (list, tuple)}
    for previous, option, following in zip_longest(["", *options][: len(options)], options, options[1:]):
        check_not_url(option.partition("=")[2] if option.startswith("--") else option)
        if previous == "--config":
            yield config_for(option, kinds, with_model)
            continue
        if previous in lists and not option.startswith(("[", "--")):
            yield f"[{option}]"
            continue
        name, equals, value = option.partition("=")
        value = config_for(value, kinds, with_model) if name == "--config" and equals else value
        if name in lists and equals and not value.startswith("["):
            value = f"[{value}]"
        if name.startswith("--"):
            name = "--" + name[2:].replace("-", "_")
            if kinds.get(name[2:]) is bool and not equals and following not in ("true", "false"):
                equals, value = "=", "true"
        yield name + equals + value


def fail(sentence: str, code: int) -> int:
    """Say on standard error what is wrong, and return the exit code."""
    sys.stderr.write(f"gada: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The verbs of the command line, each a typed function in `gada.commands`, and the parser made of their signatures."""

from argparse import ArgumentError, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from inspect import Parameter, signature
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

from gada.usage import plainly

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

Function = Callable[..., Any]


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
    """Return the parser of a verb, or for an unknown verb one that only knows the verbs' names.

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
            shown = "" if default is None or is_dataclass(kind) else f" (default: {plainly(default)})"
            parser.add_argument(option, type=kind, default=default, help=text + shown, sub_configs=is_dataclass(kind))
    if lines:
        head = "settings, as --GROUP.KEY VALUE or in the config file; --help.GROUP, as in --help.data, explains them:"
        parser.epilog = "\n".join([head, *lines])


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

"""The command line: runs a verb, and turns what goes wrong into one sentence and an exit code."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import is_dataclass
from errno import EDQUOT, EIO, ENOSPC
from io import TextIOWrapper
from time import monotonic

from gada import usage
from gada.io.threads import share_the_machine
from gada.options import VERBS, build_parser, function_of, kinds_of, parse, verb_of

RESUMED = ("fit", "benchmark", "study", "synthesize", "sweep", "classify fit", "metrify fit", "metrify learn")
RESUMED_OUT = ("score", "metrify predict")  # with --out


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
    if verb != "serve":  # a server's memory should fall again
        from gada.io.memory import keep_freed_memory

        keep_freed_memory()
    return function_of(verb)(**values) or 0


def version_with_commit() -> str:
    """Return the version and, where the code is a clone, its commit."""
    from gada import __version__
    from gada.io.records import commit

    return f"{__version__} (commit {known})" if (known := commit()) else __version__


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


def fail(sentence: str, code: int) -> int:
    """Say on standard error what is wrong, and return the exit code."""
    sys.stderr.write(f"gada: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())

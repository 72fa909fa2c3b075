"""`make lowest`: print the lowest versions that pyproject.toml allows, as constraints for pip."""

import re
import sys
import tomllib
from pathlib import Path


def lowest(project: Path) -> list[str]:
    """Return one `name==version` for each lower bound of the dependencies and extras, without the tools of `dev`."""
    content = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    extras = [lines for name, lines in content["optional-dependencies"].items() if name != "dev"]
    bounds = {}
    for line in sum(extras, content["dependencies"]):
        name, _, rest = line.partition(">=")
        version = re.match(r"[\d.]+", rest)
        if version:
            bounds[re.sub(r"\[.*\]", "", name).strip()] = version.group()
    return [f"{name}=={version}" for name, version in sorted(bounds.items())]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lowest(Path(__file__).parents[1] / "pyproject.toml")) + "\n")

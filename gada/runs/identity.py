"""What makes a folder's run the wanted one: its settings, split and scores, not where its files lie."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gada.data.splits import Split
from gada.errors import ConfigError
from gada.io.files import write_json, write_text
from gada.io.records import environment
from gada.runs.prepared import PreparedData
from gada.settings import as_plain
from gada.settings.names import DROPPED, RENAMED

ELSE = "choose another --run, or delete the folder to start anew."
PLACES = ("data.root", "training.unlabelled", "training.distorted")
"""Settings that say where files lie; that these are the same is seen from the files."""
BY_SCENE = "split.by_scene"  # which without references changes the split, and else nothing


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run with these settings and data; the constructor compares them with what is there.

    Raises:
        ConfigError: if the folder holds another run; the message names what differs.
    """

    path: Path
    settings: Any
    """A settings object; the run of a metrifier has its own kind."""
    data: PreparedData | None = None

    def __post_init__(self) -> None:
        """Compare with `config.yaml`, `split.json` and `env.json`, where they are."""
        before, now = self._config(), flat(as_plain(self.settings))
        known = flat(as_plain(type(self.settings)()))  # of settings that are newer than the run
        for key in {**before, **now} if before else ():
            was, wanted = before.get(key, known.get(key)), now.get(key, DROPPED.get(key))
            moved = key in (BY_SCENE, "data.cache") or (key in PLACES and (was is None) == (wanted is None))
            unused = key.startswith("whole.") and now.get("model.trunk") == "gada"  # which sees crops
            if was != wanted and not (moved or unused):
                raise ConfigError(f"{self.path} holds a run with {key}={was}, not {wanted}; {ELSE}")
        if self.data:
            self._compare_data(self.data)

    def _compare_data(self, data: PreparedData) -> None:
        """Raise ConfigError for another split, other scores, or other images in phase 2."""
        file = self.path / "split.json"
        if file.is_file() and Split.read(file) != data.split:
            raise ConfigError(
                f"{self.path} holds a run on another split, for its data had other images or references, or {BY_SCENE} "
                f"was another; restore them, {ELSE}"
            )
        before = self._environment()
        if before.get("scores") not in (None, data.images.scores_hash):
            raise ConfigError(
                f"{self.path} holds a run on other scores or classes of {data.images.name}; restore them, {ELSE}"
            )
        if data.sources and before.get("sources") not in (None, data.sources.identity):
            raise ConfigError(
                f"{self.path} holds a run with other images than {data.sources.name} has; restore them, {ELSE}"
            )

    def write(self) -> None:
        """Write `config.yaml`, `env.json` and `split.json`."""
        write_text(self.path / "config.yaml", yaml.safe_dump(as_plain(self.settings), sort_keys=False))
        if self.data:
            found = {"data": self.data.packed.fingerprint, "scores": self.data.images.scores_hash}
            sources = self.data.sources.identity if self.data.sources else self._environment().get("sources")
            found |= {"sources": sources} if sources else {}
            write_json(self.path / "env.json", {**environment(), **found})
            self.data.split.write(self.path / "split.json")

    def _config(self) -> dict[str, Any]:
        """Return the flat settings of the run that is there, by their names of today; {} if there is none."""
        file = self.path / "config.yaml"
        if not file.is_file():
            return {}
        try:
            there = flat(yaml.safe_load(file.read_text(encoding="utf-8")))
        except (yaml.YAMLError, OSError, AttributeError) as error:
            raise ConfigError(f"{file} cannot be read; restore it or choose another --run.") from error
        return {RENAMED.get(key, key): value for key, value in there.items()}

    def _environment(self) -> dict[str, Any]:
        """Return `env.json`; {} if there is none."""
        file = self.path / "env.json"
        return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as one level with dotted keys."""
    items: dict[str, Any] = {}
    for key, value in values.items():
        items.update(flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return items

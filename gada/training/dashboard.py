"""The loggers of a run behind the methods that runs call until they call the loggers themselves."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gada.training.loggers import Mode as Mode
from gada.training.loggers import run_loggers


class Dashboard:
    """The loggers of `run_loggers`; the arguments are its."""

    def __init__(self, folder: Path, mode: Mode, config: Mapping[str, Any], group: str = "", name: str = "") -> None:
        self.opened = ExitStack()
        self.loggers = self.opened.enter_context(run_loggers(folder, mode, config, group, name))

    def image(self, name: str, path: Path) -> None:
        """Log an image."""
        for logger in self.loggers:
            logger.log_image(name, [str(path)])

    def table(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Log rows as a table."""
        for logger in self.loggers:
            logger.log_rows(name, rows)

    def figures(self, values: Mapping[str, Any]) -> None:
        """Set the metrics that stand for the run."""
        for logger in self.loggers:
            logger.summarize(values)

    def close(self) -> None:
        """End the run."""
        self.opened.close()

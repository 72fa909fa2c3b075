"""`load_database`: the one way in, whatever the layout of the database."""

from dataclasses import replace

from gada.data.csiq import load_csiq
from gada.data.kadid10k import load_kadid10k
from gada.data.live import load_live
from gada.data.live_itw import load_live_itw
from gada.data.records import ScoredSet
from gada.data.table import load_synthetic, load_table
from gada.data.tid2013 import load_tid2013
from gada.errors import ConfigError, DataError
from gada.io.images import shown
from gada.settings import DataSettings


def load_database(settings: DataSettings) -> ScoredSet:
    """Load and check the scored images that `settings` describe.

    Every file's header is read, no image is decoded.

    Raises:
        ConfigError: if a setting is wrong.
        DataError: if the folder, a table, a score or an image is missing or invalid.
    """
    try:
        scored = _load(settings)
    except OSError as error:  # a folder without permission, a disk that fails
        raise DataError(f"{shown(str(error.filename or settings.root))} cannot be read: {error.strerror}") from error
    return _only(scored, settings.classes) if settings.classes else scored


def _load(settings: DataSettings) -> ScoredSet:
    match settings.format:
        case "live":
            return load_live(settings.root, realigned=settings.realigned, partial=settings.partial)
        case "tid2013":
            return load_tid2013(settings.root, partial=settings.partial)
        case "csiq":
            return load_csiq(settings.root, partial=settings.partial)
        case "kadid10k":
            return load_kadid10k(settings.root, partial=settings.partial)
        case "live-itw":
            return load_live_itw(settings.root, partial=settings.partial)
        case "table":
            return load_table(settings)
        case "synthetic":
            return load_synthetic(settings)


def _only(scored: ScoredSet, classes: tuple[str, ...]) -> ScoredSet:
    """Keep the given distortion classes, in the given order."""
    for name in classes:
        if name not in scored.classes:
            known = ", ".join(scored.classes) or "none"
            raise ConfigError(
                f"data.classes names {name!r}, which {scored.name} does not have; its classes are: {known}"
            )
    kept = tuple(record for record in scored.images if record.distortion in classes)
    return replace(scored, images=kept, classes=tuple(dict.fromkeys(classes)))

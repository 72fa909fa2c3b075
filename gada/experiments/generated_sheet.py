"""A sheet of what a trained generator makes of a set's references, beside true distortions."""

from pathlib import Path

from gada.errors import ConfigError, DataError
from gada.io.checkpoints import find_checkpoint
from gada.io.files import write_bytes
from gada.models.files import load_generator
from gada.runs.samples import sample_grid
from gada.runs.unseen import Side, UnseenImages
from gada.settings import DataSettings, SplitSettings


def write_generated_sheet(
    model: str, out: Path, side: Side, crop_size: int, data: DataSettings, split: SplitSettings
) -> None:
    """Write a PNG with true and generated distortions: for some references, classes down and qualities across.

    Raises:
        ConfigError: if the crop size is wrong, the model is not found, or makes other classes than the data have.
        DataError: if the data are missing or invalid, or have no references.
    """
    if crop_size < 0 or crop_size % 8:
        raise ConfigError(f"--crop_size is {crop_size} but must be a multiple of 8, or 0.")
    path = find_checkpoint(model, "generator")
    generator, card = load_generator(path)
    unseen = UnseenImages(data, side, split, card, keep_shared=side == "all")
    images = unseen.images
    if not images.has_references:
        raise DataError(
            f"{images.name} has no reference images, which a generator distorts; give data with references."
        )
    if images.classes != card.classes:
        raise ConfigError(f"{path} makes {', '.join(card.classes)}; {images.name} has {', '.join(images.classes)}.")
    write_bytes(out, sample_grid(generator, images, unseen.packed(), crop_size or card.crop_size))

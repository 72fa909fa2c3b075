"""`gada generate`: look at what a generator makes."""

from pathlib import Path
from typing import Literal

from gada.settings import DataSettings, SplitSettings


def generate(
    model: str = "bundled",
    out: Path = Path("generated.png"),
    side: Literal["test", "validation", "train", "all"] = "test",
    crop_size: int = 0,
    data: DataSettings = DataSettings(),
    split: SplitSettings = SplitSettings(),
) -> None:
    """Draw a contact sheet of references x classes x qualities beside true distortions.

    Args:
        model: A .safetensors generator, phase 1's or a run's folder, or `bundled`.
        out: PNG file to write.
        side: Which side of the split the references come from.
        crop_size: Side of the crops in pixels, a multiple of 8; 0 is the size the generator was trained at.
        data: Which scored images to read.
        split: How the references are divided.
    """
    from gada.experiments.samples import write_contact_sheet

    write_contact_sheet(model, out, side, crop_size, data, split)
    print(f"wrote {out}")

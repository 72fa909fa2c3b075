"""The verb `synthesize`."""

from pathlib import Path
from typing import Literal


def synthesize(
    references: Path,
    out: Path,
    recipe: Literal["live", "tid2013", "dodge-karam", "iqa-ls", "web"] = "live",
    scores: str = "proxy",
    crops: Path | None = None,
    levels: int | None = None,
    seed: int = 0,
    jobs: int | None = None,
) -> None:
    """Make a scored set of distorted images from a folder of photos.

    Args:
        references: folder of undistorted photos; those in its subfolders count too, and names must differ.
        out: folder to write; new or empty, or begun by the same command, which is then resumed.
        recipe: whose distortions, at whose strengths.
        scores: "proxy" (MS-SSIM mapped to 0-100, 0 is best), or a CSV table of human scores
            with columns reference, distortion, level, mos (recipe tid2013).
        crops: CSV table with columns reference, kodak, top, left: take these 512 x 384 crops as references.
        levels: number of strengths for live, tid2013 and web; by default five.
        seed: the noise of each image derives from this, its reference, class and level.
        jobs: processes; by default one for each core.
    """
    from gada.data.synthesize import synthesize as make
    from gada.usage import ended

    if make(references, out, recipe, scores, crops, levels, seed, jobs):
        ended(str(out), f"gada fit --data.root {out} --run runs/{out.name}")

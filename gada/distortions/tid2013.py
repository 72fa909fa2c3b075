"""TID2013's 24 distortions at its five strengths.

The database is described in Ponomarenko et al., "Image database TID2013: Peculiarities, results and perspectives",
Signal Processing: Image Communication 30 (2015); it names the distortions but not their parameters. Methods and
parameters here were inferred from the PSNR and SSIM published with the database for references I01 and I03:
`python -m gada fidelity` compares, docs/distortions.md lists what agrees and what does not. A strength belongs to a
type and a level, never to an image.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from gada.distortions.blur import framed_gaussian_blur
from gada.distortions.colour import aberration_at_psnr, change_contrast, change_saturation, mean_shift
from gada.distortions.compression import jpeg, jpeg2000_at_psnr
from gada.distortions.family import Family, fixed
from gada.distortions.local import displaced_patches, local_blocks
from gada.distortions.noise import (
    colour_noise,
    correlated_noise,
    high_frequency_noise,
    impulse_noise,
    masked_noise,
    multiplicative_noise,
    white_noise,
)
from gada.distortions.pixels import Pixels
from gada.distortions.quantization import quantize, quantize_with_dither
from gada.distortions.transforms import comfort_noise, compressed_noisy, denoised, sparse_reconstruction
from gada.distortions.transmission import jpeg2000_transmission_errors, jpeg_transmission_errors

_STDS = (5.7, 8.06, 11.4, 16.1, 22.7)
"""White noise of 33, 30, 27, 24 and 21 dB on R, G, B: the PSNR that most types aim at."""

_PSNRS = (33.0, 30.0, 27.0, 24.0, 21.0)


def _damaged_jpeg(image: Pixels, psnr_db: float, random: Generator) -> Pixels:
    """Type 12: the stream that is damaged is about as good as JPEG (type 10) at the same level."""
    quality = float(np.interp(psnr_db, (22.5, 25.75, 28.6, 32.2, 34.2), (4, 8, 23, 65, 80)))
    return jpeg_transmission_errors(image, quality, psnr_db, random)


def _fewer_stronger_blocks(image: Pixels, number: float, random: Generator) -> Pixels:
    """Type 15: the fewer the blocks, the further their colour is from what they cover."""
    return local_blocks(image, number, float(np.interp(number, (2, 4, 6, 8, 10), (116, 83, 63, 52.5, 40.5))), random)


def _compressed_noisy(image: Pixels, sigma: float, random: Generator) -> Pixels:
    """Type 21: the step of the coder follows the noise, a little less so for strong noise."""
    ratio = float(np.interp(sigma, (8.0, 11.4, 16.1, 22.7), (2.55, 2.5, 2.4, 2.0)))
    return compressed_noisy(image, sigma, ratio * sigma, random)


_FAMILIES: tuple[tuple[str, str, str, tuple[float, ...], Callable[[Pixels, float, Generator], Pixels]], ...] = (
    ("additive Gaussian noise", "std in R, G, B", "grey level", _STDS, white_noise),
    (
        "additive noise in colour components",
        "std in Y; twice that in Cb and Cr",
        "grey level",
        (1.9, 2.69, 3.8, 5.37, 7.59),
        colour_noise,
    ),
    ("spatially correlated noise", "std in R, G, B", "grey level", _STDS, correlated_noise),
    ("masked noise", "PSNR on R, G, B", "dB", (32.75, 29.75, 26.75, 23.75, 20.75), masked_noise),
    ("high-frequency noise", "std in R, G, B", "grey level", (5.7, 8.06, 14.3, 25.5, 46.5), high_frequency_noise),
    ("impulse noise", "fraction of samples hit", "1", (0.0041, 0.0088, 0.0172, 0.0335, 0.0685), impulse_noise),
    ("quantization noise", "step", "grey level", (19.0, 27.0, 39.0, 55.0, 76.0), fixed(quantize)),
    ("Gaussian blur", "sigma, window 11 x 11", "pixel", (0.5, 0.65, 1.0, 1.7, 4.0), fixed(framed_gaussian_blur)),
    ("image denoising", "std of the noise removed", "grey level", (6.7, 10.2, 18.2, 36.0, 81.0), denoised),
    ("JPEG compression", "quality", "libjpeg's scale", (80.0, 60.0, 23.0, 8.0, 4.0), fixed(jpeg)),
    ("JPEG2000 compression", "PSNR on R, G, B", "dB", (32.9, 30.1, 27.2, 24.1, 21.1), fixed(jpeg2000_at_psnr)),
    ("JPEG transmission errors", "PSNR on luminance", "dB", (34.25, 32.2, 28.6, 25.9, 22.55), _damaged_jpeg),
    (
        "JPEG2000 transmission errors",
        "PSNR on luminance",
        "dB",
        (35.45, 31.3, 29.9, 25.5, 22.0),
        jpeg2000_transmission_errors,
    ),
    (
        "non-eccentricity pattern noise",
        "displaced patches on 512 x 384",
        "1",
        (21.0, 39.0, 80.0, 124.0, 182.0),
        displaced_patches,
    ),
    (
        "local block-wise distortions",
        "blocks on 512 x 384, the fewer the stronger",
        "1",
        (10.0, 8.0, 6.0, 4.0, 2.0),
        _fewer_stronger_blocks,
    ),
    ("mean shift", "added to R, G, B", "grey level", (-6.0, 10.0, -20.0, 30.0, -40.0), fixed(mean_shift)),
    ("contrast change", "change of gain about the mean", "1", (-0.1, 0.2, -0.25, 0.45, -0.5), fixed(change_contrast)),
    ("change of colour saturation", "factor of chroma", "1", (0.6, 0.45, 0.3, 0.15, 0.0), fixed(change_saturation)),
    ("multiplicative Gaussian noise", "PSNR on R, G, B", "dB", _PSNRS, multiplicative_noise),
    ("comfort noise", "PSNR on R, G, B", "dB", _PSNRS, comfort_noise),
    ("lossy compression of noisy images", "std of the noise", "grey level", _STDS, _compressed_noisy),
    (
        "colour quantization with dither",
        "step",
        "grey level",
        (19.0, 26.0, 43.0, 57.0, 76.0),
        fixed(quantize_with_dither),
    ),
    ("chromatic aberrations", "PSNR on R, G, B", "dB", (33.05, 28.2, 25.4, 23.4, 20.8), fixed(aberration_at_psnr)),
    ("sparse sampling and reconstruction", "PSNR on R, G, B", "dB", _PSNRS, fixed(sparse_reconstruction)),
)

TID2013 = tuple(
    Family(
        f"tid2013/{number:02d}",
        title,
        parameter,
        unit,
        strengths,
        method,
        "inferred from published PSNR and SSIM; Ponomarenko et al. 2015",
    )
    for number, (title, parameter, unit, strengths, method) in enumerate(_FAMILIES, start=1)
)

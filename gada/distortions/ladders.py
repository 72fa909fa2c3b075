"""Printed ladders of strengths: Dodge and Karam's five, IQA-LS's three.

Dodge and Karam, "Understanding How Image Quality Affects Deep Neural Networks" (QoMEX 2016), section III-C. Chen et
al., "IQA-LS" (2017), section 4.3. The order here is from the mildest to the strongest; where a ladder holds the image
itself (a blending factor of 1), that is level 0.
"""

from numpy.random import Generator

from gada.distortions.blur import gaussian_blur, windowed_gaussian_blur
from gada.distortions.colour import blend_with_grey, blend_with_mean_grey
from gada.distortions.compression import jpeg, jpeg2000_at_psnr
from gada.distortions.family import Family, fixed
from gada.distortions.noise import white_noise
from gada.distortions.pixels import Pixels

_DODGE_KARAM = "Dodge and Karam 2016, section III-C"
_TENTHS = tuple(tenths / 10 for tenths in range(9, -1, -1))


def _noise_of_variance(image: Pixels, variance: float, random: Generator) -> Pixels:
    return white_noise(image, variance**0.5, random)


def _noise_of_range(image: Pixels, variance: float, random: Generator) -> Pixels:
    return white_noise(image, 255 * variance**0.5, random)


DODGE_KARAM = tuple(
    Family(f"dodge-karam/{name}", title, parameter, unit, tuple(map(float, strengths)), method, _DODGE_KARAM)
    for name, title, parameter, unit, strengths, method in (
        ("jpeg", "JPEG compression", "quality", "libjpeg's scale", range(20, 0, -2), fixed(jpeg)),
        ("jpeg2000", "JPEG2000 compression", "PSNR on R, G, B", "dB", range(40, 18, -2), fixed(jpeg2000_at_psnr)),
        ("noise", "white Gaussian noise", "std", "grey level", range(10, 101, 10), white_noise),
        ("blur", "Gaussian blur, 4 sigma + 1 taps", "sigma", "pixel", range(1, 10), fixed(windowed_gaussian_blur)),
        ("contrast", "blending with grey", "fraction of the image", "1", _TENTHS, fixed(blend_with_grey)),
    )
)

DODGE_KARAM_VARIANT = (
    Family(
        "dodge-karam-variant/contrast",
        "blending with the image's mean grey",
        "fraction of the image",
        "1",
        _TENTHS,
        fixed(blend_with_mean_grey),
        f"{_DODGE_KARAM}, which leaves the grey open",
    ),
    Family(
        "dodge-karam-variant/noise",
        "white Gaussian noise in R, G and B",
        "variance",
        "grey level squared",
        tuple(float(variance) for variance in range(10, 101, 10)),
        _noise_of_variance,
        "Dodge and Karam 2016, read as its Figure 1 (variance 50)",
    ),
)
"""What the paper leaves open, or says otherwise in its Figure 1; in a set of their own, so that the five stay five."""

IQA_LS = tuple(
    Family(f"iqa-ls/{name}", title, parameter, unit, strengths, method, "Chen et al. 2017 (IQA-LS), section 4.3")
    for name, title, parameter, unit, strengths, method in (
        ("blur", "Gaussian blur", "sigma", "pixel", (0.7, 1.0, 1.2), fixed(gaussian_blur)),
        ("noise", "white Gaussian noise", "variance", "of the range [0, 1]", (0.005, 0.01, 0.02), _noise_of_range),
        ("jpeg", "JPEG compression", "quality", "libjpeg's scale", (12.0, 8.0, 4.0), fixed(jpeg)),
    )
)

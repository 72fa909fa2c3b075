"""Printed ladders of strengths: Dodge and Karam's five, IQA-LS's three.

Dodge and Karam, "Understanding How Image Quality Affects Deep Neural Networks" (QoMEX 2016), section III-C. Chen et
al., "IQA-LS" (2017), section 4.3. The order here is from the mildest to the strongest; where a ladder holds the image
itself (a blending factor of 1), that is level 0.
"""

from gada.distortions.blur import gaussian_blur, windowed_gaussian_blur
from gada.distortions.colour import blend_with_grey, blend_with_mean_grey
from gada.distortions.compression import jpeg, jpeg2000_at_psnr
from gada.distortions.family import Family
from gada.distortions.noise import white_noise

_DODGE_KARAM = "Dodge and Karam 2016, section III-C"
_IQA_LS = "Chen et al. 2017 (IQA-LS), section 4.3"

DODGE_KARAM = (
    Family(
        "dodge-karam/jpeg",
        "JPEG compression",
        "quality",
        "libjpeg's scale",
        tuple(float(quality) for quality in range(20, 0, -2)),
        lambda image, quality, _: jpeg(image, quality),
        _DODGE_KARAM,
    ),
    Family(
        "dodge-karam/jpeg2000",
        "JPEG2000 compression",
        "PSNR on R, G, B",
        "dB",
        tuple(float(psnr) for psnr in range(40, 18, -2)),
        lambda image, psnr, _: jpeg2000_at_psnr(image, psnr),
        _DODGE_KARAM,
    ),
    Family(
        "dodge-karam/noise",
        "white Gaussian noise",
        "std",
        "grey level",
        tuple(float(sigma) for sigma in range(10, 101, 10)),
        white_noise,
        _DODGE_KARAM,
    ),
    Family(
        "dodge-karam/blur",
        "Gaussian blur, 4 sigma + 1 taps",
        "sigma",
        "pixel",
        tuple(float(sigma) for sigma in range(1, 10)),
        lambda image, sigma, _: windowed_gaussian_blur(image, sigma),
        _DODGE_KARAM,
    ),
    Family(
        "dodge-karam/contrast",
        "blending with grey",
        "fraction of the image",
        "1",
        tuple(tenths / 10 for tenths in range(9, -1, -1)),
        lambda image, fraction, _: blend_with_grey(image, fraction),
        _DODGE_KARAM,
    ),
)

DODGE_KARAM_VARIANT = (
    Family(
        "dodge-karam-variant/contrast",
        "blending with the image's mean grey",
        "fraction of the image",
        "1",
        tuple(tenths / 10 for tenths in range(9, -1, -1)),
        lambda image, fraction, _: blend_with_mean_grey(image, fraction),
        f"{_DODGE_KARAM}, which leaves the grey open",
    ),
    Family(
        "dodge-karam-variant/noise",
        "white Gaussian noise in R, G and B",
        "variance",
        "grey level squared",
        tuple(float(variance) for variance in range(10, 101, 10)),
        lambda image, variance, random: white_noise(image, variance**0.5, random),
        "Dodge and Karam 2016, read as its Figure 1 (variance 50)",
    ),
)
"""What the paper leaves open, or says otherwise in its Figure 1; in a set of their own, so that the five stay five."""

IQA_LS = (
    Family(
        "iqa-ls/blur",
        "Gaussian blur",
        "sigma",
        "pixel",
        (0.7, 1.0, 1.2),
        lambda image, sigma, _: gaussian_blur(image, sigma),
        _IQA_LS,
    ),
    Family(
        "iqa-ls/noise",
        "white Gaussian noise",
        "variance",
        "of the range [0, 1]",
        (0.005, 0.01, 0.02),
        lambda image, variance, random: white_noise(image, 255 * variance**0.5, random),
        _IQA_LS,
    ),
    Family(
        "iqa-ls/jpeg",
        "JPEG compression",
        "quality",
        "libjpeg's scale",
        (12.0, 8.0, 4.0),
        lambda image, quality, _: jpeg(image, quality),
        _IQA_LS,
    ),
)

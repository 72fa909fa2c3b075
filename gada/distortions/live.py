"""The five distortions of LIVE release 2, with five strengths spread over its ranges.

Ranges: Sheikh, Sabir and Bovik, "A statistical evaluation of recent full reference image quality assessment
algorithms", IEEE Transactions on Image Processing 15 (2006). LIVE's strengths differ from image to image; these are
chosen so that the levels spread over the scale of quality. JPEG has a quality in place of LIVE's rate, because below
quality 3 the tables are full and a rate would often be out of reach.
"""

from gada.distortions.blur import gaussian_blur
from gada.distortions.compression import jpeg, jpeg2000_at_rate
from gada.distortions.family import Family, fixed
from gada.distortions.noise import white_noise
from gada.distortions.transmission import fast_fading

_SOURCE = "Sheikh et al. 2006"

LIVE = (
    Family(
        "live/jp2k",
        "JPEG2000 compression",
        "rate",
        "bit/pixel",
        (2.0, 0.5, 0.16, 0.065, 0.028),
        fixed(jpeg2000_at_rate),
        _SOURCE + ", 3.15 to 0.028",
    ),
    Family(
        "live/jpeg",
        "JPEG compression",
        "quality",
        "libjpeg's scale",
        (70.0, 30.0, 13.0, 6.0, 3.0),
        fixed(jpeg),
        _SOURCE + ", 3.34 to 0.15 bit/pixel",
    ),
    Family(
        "live/wn",
        "white Gaussian noise",
        "std",
        "of the range [0, 1]",
        (0.012, 0.05, 0.13, 0.35, 1.0),
        lambda image, std, random: white_noise(image, 255 * std, random),
        _SOURCE + ", 0.012 to 2.0",
    ),
    Family(
        "live/gblur",
        "Gaussian blur",
        "sigma",
        "pixel",
        (0.6, 1.5, 3.2, 7.0, 15.0),
        fixed(gaussian_blur),
        _SOURCE + ", 0.42 to 15",
    ),
    Family(
        "live/fastfading",
        "fast fading",
        "receiver's signal-to-noise ratio",
        "dB",
        (26.1, 23.5, 20.8, 18.1, 15.5),
        fast_fading,
        _SOURCE + ", 26.1 to 15.5",
    ),
)

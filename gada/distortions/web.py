"""The codecs of web pages beside JPEG, WebP and AVIF, with five strengths each.

The strengths are ours: qualities of Pillow's encoders, chosen so that the levels spread over the scale of quality. What
an encoder makes of a quality may change a little with the release of its library.
"""

from gada.distortions.compression import avif, webp
from gada.distortions.family import Family

_SOURCE = "ours, over the encoder's range"

WEB = (
    Family(
        "web/webp",
        "WebP compression",
        "quality",
        "libwebp's scale",
        (90.0, 60.0, 25.0, 5.0, 0.0),
        lambda image, quality, _: webp(image, quality),
        _SOURCE,
    ),
    Family(
        "web/avif",
        "AVIF compression",
        "quality",
        "libavif's scale",
        (80.0, 50.0, 30.0, 12.0, 0.0),
        lambda image, quality, _: avif(image, quality),
        _SOURCE,
    ),
)

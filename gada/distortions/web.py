"""The codecs of web pages beside JPEG, WebP and AVIF, with five strengths each.

The strengths are ours: qualities of Pillow's encoders, chosen so that the levels spread over the scale of quality. What
an encoder makes of a quality may change a little with the release of its library.
"""

from gada.distortions.compression import avif, webp
from gada.distortions.family import Family, fixed

WEB = tuple(
    Family(f"web/{name}", f"{title} compression", "quality", unit, strengths, method, "ours, over the encoder's range")
    for name, title, unit, strengths, method in (
        ("webp", "WebP", "libwebp's scale", (90.0, 60.0, 25.0, 5.0, 0.0), fixed(webp)),
        ("avif", "AVIF", "libavif's scale", (80.0, 50.0, 30.0, 12.0, 0.0), fixed(avif)),
    )
)

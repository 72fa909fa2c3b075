"""Distortion classes are called what people call them."""

import pytest

from gada.distortions.names import distortion_name


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("wn", "LIVE", "white Gaussian noise"),
        ("live/jp2k", "", "JPEG2000 compression"),
        ("avif", "web-like", "AVIF compression"),
        ("08", "TID2013-R", "Gaussian blur"),
        ("#17", "TID2013", "contrast change"),
        ("tid2013/17", "", "contrast change"),
        ("08", "my images", "08"),  # somebody's own class
        ("motion blur", "KADID-10k", "motion blur"),
        ("", "CLIVE", ""),
    ],
)
def test_names(name: str, data: str, told: str) -> None:
    assert distortion_name(name, data) == told

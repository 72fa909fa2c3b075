"""Whether what Dodge and Karam (2016) found of classifiers under distortion holds in a sweep."""

from collections.abc import Callable, Sequence

import numpy as np

from gada.io.records import Row
from gada.reports.ladders import NONE, is_whole, ladder, networks_of

PUBLIC = ("imagenet", "cifar-10")  # image sets about which a published finding says something
LITTLE = 0.1
"""Loss of top-1 accuracy up to here counts as little; fixed before anything was measured."""


def findings(rows: Sequence[Row]) -> list[str]:
    """Return what Dodge and Karam found (section IV), and whether it holds here, for each network.

    Blur and noise cost more accuracy than JPEG, JPEG2000 and contrast; JPEG above quality 10 and contrast down to 0.4
    cost little. A network that has not been through these ladders is left out; so are all on images of one's own, for
    the paper says nothing of those.
    """
    if not rows[0]["dataset"].lower().startswith(PUBLIC):
        return []
    names = {name: f"dodge-karam/{name}" for name in ("blur", "noise", "jpeg", "jpeg2000", "contrast")}
    found = []
    for network in networks_of(rows):
        along = {short: ladder(rows, network, name) for short, name in names.items()}
        clean = ladder(rows, network, NONE)
        if not is_whole(rows, network) or not clean or not all(along.values()):
            continue
        loss = {name: clean[0]["top1"] - float(np.mean([row["top1"] for row in ones])) for name, ones in along.items()}
        most = min(loss["blur"], loss["noise"]) > max(loss[name] for name in ("jpeg", "jpeg2000", "contrast"))
        jpeg = _worst(clean[0], along["jpeg"], lambda row: row["strength"] > 10)
        contrast = _worst(clean[0], along["contrast"], lambda row: row["strength"] >= 0.4)
        losses = ", ".join(f"{name} {value:.3f}" for name, value in loss.items())
        found.append(
            f"{network}: blur and noise hurt most: {_holds(most)} (mean loss of top-1 along the ladder: {losses}). "
            f"JPEG above quality 10 costs little, at most {LITTLE:g}: {_holds(jpeg <= LITTLE)} (greatest loss "
            f"{jpeg:.3f}). Contrast down to 0.4 costs little: {_holds(contrast <= LITTLE)} (greatest loss "
            f"{contrast:.3f})."
        )
    return found


def _worst(clean: Row, along: Sequence[Row], chosen: Callable[[Row], bool]) -> float:
    return float(clean["top1"] - min(row["top1"] for row in along if chosen(row)))


def _holds(holds: bool) -> str:
    return "reproduced" if holds else "not reproduced"

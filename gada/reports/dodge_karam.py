"""What Dodge and Karam found (2016, section IV), and whether the rows of a sweep show it."""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt

import numpy as np

from gada.io.records import Row
from gada.reports.ladders import NONE, ladder, networks_of
from gada.reports.layout import Table

PUBLIC = ("imagenet", "cifar-10")  # image sets about which a published finding says something
LITTLE = 0.1
"""Loss of top-1 accuracy up to here counts as little; fixed before anything was measured."""
LEFT = 0.2
"""Top-1 that noise of standard deviation 90 leaves (section IV: less than 20 % on average)."""
NAMES = ("blur", "noise", "jpeg", "jpeg2000", "contrast")
EVERY = "all"  # networks
Ladders = Mapping[str, Sequence[Row]]
Found = tuple[str, bool | None]
"""A figure in words, and whether it meets the threshold; None where it was not tested."""
NOT_TESTED: Found = ("", None)


def findings(rows: Sequence[Row]) -> list[Row]:
    """Return each finding of section IV with the figure here, the threshold and the outcome; none without its ladders.

    None on images of one's own either: the paper says nothing of those.
    A network's finding is not tested where the network lacks a ladder or a strength of it.
    """
    if not rows[0]["dataset"].lower().startswith(PUBLIC):
        return []
    along = {network: _ladders(rows, network) for network in networks_of(rows)}
    if not any(ladders[name] for ladders in along.values() for name in NAMES):
        return []
    found = [
        _row(claim, network, threshold, test(ladders))
        for claim, threshold, test in OF_EACH
        for network, ladders in along.items()
    ]
    return found + [_row(claim, EVERY, threshold, test(along)) for claim, threshold, test in OF_ALL]


def findings_table(found: Sequence[Row]) -> Table:
    """Return the findings as a table."""
    body = [tuple(row[key] for key in ("finding", "network", "outcome", "found", "threshold")) for row in found]
    rules = frozenset(place for place, row in enumerate(found[1:], 1) if row["finding"] != found[place - 1]["finding"])
    columns = ("outcome", "found here", "reproduced if")
    caption = "What Dodge and Karam (2016, section IV) found."
    return Table(caption, ("finding", "network"), columns, tuple(body), (), rules)


def _row(claim: str, network: str, threshold: str, found: Found) -> Row:
    outcome = {True: "reproduced", False: "not reproduced", None: "not tested"}[found[1]]
    return {"finding": claim, "network": network, "found": found[0], "threshold": threshold, "outcome": outcome}


def _ladders(rows: Sequence[Row], network: str) -> dict[str, list[Row]]:
    """Return a network's ladders by their short names, and its undistorted row under `NONE`."""
    names = {name: f"dodge-karam/{name}" for name in NAMES} | {NONE: NONE}
    return {short: ladder(rows, network, name) for short, name in names.items()}


def _most(along: Ladders) -> Found:
    if not along[NONE] or not all(along[name] for name in NAMES):
        return NOT_TESTED
    loss = {name: _clean(along) - _mean(along[name]) for name in NAMES}
    shown = ", ".join(f"{name} {value:.3f}" for name, value in loss.items())
    return shown, min(loss["blur"], loss["noise"]) > max(loss[name] for name in NAMES[2:])


def _little(name: str, mildest: float) -> Callable[[Ladders], Found]:
    """Return the test whether a ladder costs little from its mildest level to this strength."""

    def test(along: Ladders) -> Found:
        chosen = [row["top1"] for row in along[name] if row["strength"] >= mildest]
        if not along[NONE] or not chosen:
            return NOT_TESTED
        loss = _clean(along) - min(chosen)
        return f"greatest loss {loss:.3f}", loss <= LITTLE

    return test


def _moderate(along: Ladders) -> Found:
    chosen = [row["top1"] for row in along["blur"] if row["strength"] == 2]
    if not along[NONE] or not chosen:
        return NOT_TESTED
    loss = _clean(along) - chosen[0]
    return f"loss {loss:.3f}", loss > LITTLE


def _unsure(along: Ladders) -> Found:
    there = [name for name in NAMES if along[name]]
    if not along[NONE] or len(there) < len(NAMES):
        return NOT_TESTED
    lost = [along[NONE][0]["confidence"] - along[name][-1]["confidence"] for name in there]
    return f"it falls by {min(lost):.3f} or more", min(lost) > 0


def _noise(along: Mapping[str, Ladders]) -> Found:
    left = [row["top1"] for one in along.values() for row in one["noise"] if row["strength"] == 90]
    return (f"top-1 {np.mean(left):.3f}", float(np.mean(left)) < LEFT) if left else NOT_TESTED


def _deeper(along: Mapping[str, Ladders]) -> Found:
    """Compare the deepest with the shallowest network, with a 95 % interval as if no image were common to both."""
    there = {name: one for name, one in along.items() if one[NONE] and one["noise"] and one[NONE][0].get("depth")}
    depths = {name: int(one[NONE][0]["depth"]) for name, one in there.items()}
    if len(set(depths.values())) < 2:
        return "networks of one depth, or of unknown depth", None
    ends = [pick(depths, key=depths.__getitem__) for pick in (min, max)]
    lost = [_clean(there[name]) - _mean(there[name]["noise"]) for name in ends]
    reach = 1.96 * sqrt(
        sum(value * (1 - value) / there[name][NONE][0]["n"] for value, name in zip(lost, ends, strict=True))
    )
    less = lost[0] - lost[1]
    shown = ", ".join(f"{name} {value:.3f}" for name, value in zip(ends, lost, strict=True))
    return f"{shown}: {less:+.3f} ({less - reach:+.3f} to {less + reach:+.3f})", less > reach


def _best(along: Mapping[str, Ladders]) -> Found:
    means = {
        name: np.mean([_mean(one[short]) for short in NAMES])
        for name, one in along.items()
        if all(one[short] for short in NAMES)
    }
    if not means:
        return NOT_TESTED
    best = max(means, key=means.__getitem__)
    tested = len(means) > 1 and any(_is_vgg16(name) for name in means)
    return f"best: {best}, mean top-1 {means[best]:.3f}", _is_vgg16(best) if tested else None


def _is_vgg16(name: str) -> bool:
    return "vgg16" in name.lower().replace("-", "")


def _clean(along: Ladders) -> float:
    return float(along[NONE][0]["top1"])


def _mean(along: Sequence[Row]) -> float:
    return float(np.mean([row["top1"] for row in along]))


OF_EACH: tuple[tuple[str, str, Callable[[Ladders], Found]], ...] = (
    ("Blur and noise hurt most", "mean losses of both above the others'", _most),
    ("Moderate blur, sigma 2, hurts", f"loss above {LITTLE:g}", _moderate),
    ("JPEG of quality 10 and better costs little", f"loss at most {LITTLE:g}", _little("jpeg", 10)),
    ("JPEG2000 of 30 dB and better costs little", f"loss at most {LITTLE:g}", _little("jpeg2000", 30)),
    ("Contrast down to 0.4 costs little", f"loss at most {LITTLE:g}", _little("contrast", 0.4)),
    ("Confidence falls with the quality", "lower at each ladder's end", _unsure),
)
OF_ALL: tuple[tuple[str, str, Callable[[Mapping[str, Ladders]], Found]], ...] = (
    ("Noise of std 90 leaves less than 20 %", f"mean top-1 below {LEFT:g}", _noise),
    ("Noise costs deeper networks less", "mean losses differ by more than the interval", _deeper),
    ("VGG-16 is the most robust", "best of a sweep with VGG-16", _best),
    ("Blur grows from layer to layer, noise shows early", "", lambda _: ("a sweep sees no layers: gada layers", None)),
)

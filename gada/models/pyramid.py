"""The generator's output as changes of the reference's frequency bands (preset gada; not in the paper)."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from gada.models.evaluator import Leaky

Layer = TypeVar("Layer", bound=nn.Module)


class Noise(NamedTuple):
    """All that is random in a generated crop, the paper's z; each part at the sizes of the maps that it joins."""

    latent: Tensor
    """Standard normal, beside the latent maps."""
    grain: Sequence[Tensor]
    """Standard normal, beside the maps of each decoder level; none without `pixel_noise`."""
    bands: Sequence[Tensor] = ()
    """Standard normal, for each band from the coarsest, (N, 3, h, w)."""
    impulses: Sequence[Tensor] = ()
    """Their chances and their values, uniform, each (N, 3, H, W)."""


class Pyramid(nn.Module):
    """Changes the Laplacian pyramid of the reference (Burt and Adelson, 1983), from the coarsest band to the finest.

    Most distortions act on frequency bands: blur and compression remove the fine ones, contrast scales all, a shift
    moves the coarsest. A generator that paints pixels has to learn a filter of many pixels' width for that.

    Two more act on samples, not on bands: coarser grey levels and impulses.

    Args:
        bands: one for each decoder level, from the coarsest.
        embedding: channels of the embedded class and quality.
    """

    def __init__(self, bands: Sequence["Band"], embedding: int) -> None:
        super().__init__()
        self.bands = nn.ModuleList(bands)
        self.grey_levels = GreyLevels(embedding)
        self.impulses = Impulses(embedding)

    def forward(self, reference: Tensor, levels: Sequence[Tensor], condition: Tensor, noise: Noise) -> Tensor:
        """Return distorted crops (N, 3, H, W) in [0, 1].

        Args:
            reference: (N, 3, H, W) in [0, 1].
            levels: the decoder's maps, each twice as large as the one before and the last of size (H, W).
            condition: embedded class and quality, (N, E).
            noise: of the bands, and impulses.
        """
        coarsest, *finer = laplacian(reference * 2 - 1, len(levels))
        image: Tensor = self.bands[0](coarsest, torch.zeros_like(coarsest), levels[0], condition, noise.bands[0])
        parts = zip(list(self.bands)[1:], finer, levels[1:], noise.bands[1:], strict=True)
        for band, pixels, maps, grain in parts:
            smooth = enlarged(image)
            image = smooth + band(pixels, blocky(image) - smooth, maps, condition, grain)
        image = self.impulses(self.grey_levels((image + 1) / 2, condition), condition, *noise.impulses)
        return image.clamp(0, 1)


class Band(nn.Module):
    """Changes one band: mixes its colours as class and quality say, scales it at each pixel, and adds to it.

    Part of what it may add are the steps between blocks: with them in place of the bands, the image is the mean of each
    block of 8 x 8 pixels, as JPEG leaves it at its lowest qualities.

    It starts as the identity but for a trace of noise: a generator that starts at the reference need not first unlearn
    a random change, but the strength of noise that is not there has no gradient, since variance is its square.

    Args:
        modulation: how class and quality choose among the maps.
        maps: channels of the decoder's maps.
        refined: channels of a layer between these maps and the change, for what is not a sum of them; 0 is none.
        embedding: channels of the embedded class and quality.
    """

    TRACE = 0.5 / 127.5  # std of the noise at the start: half a grey level
    LOUDEST = 6.0  # log of how much stronger it may become

    def __init__(self, modulation: nn.Module, maps: int, refined: int, embedding: int) -> None:
        super().__init__()
        self.modulation = modulation
        self.loudness = Knob(embedding, 3)
        self.refine = nn.Sequential(nn.Conv2d(maps, refined, 3, padding=1), Leaky()) if refined else None
        self.change = zero(nn.Conv2d(maps + refined, 9, kernel_size=3, padding=1))
        self.colours = zero(nn.Linear(embedding, 12))

    def forward(self, band: Tensor, steps: Tensor, maps: Tensor, condition: Tensor, noise: Tensor) -> Tensor:
        """Return the changed band, (N, 3, h, w), of the same range; `steps` are those between the blocks."""
        maps = self.modulation(maps, condition)
        if self.refine is not None:
            maps = torch.cat([self.refine(maps), maps], dim=1)
        added, gain, blocks = self.change(maps).float().chunk(3, dim=1)
        changed: Tensor = self.mixed(band, condition) * (1 + gain) + blocks * steps + added
        return changed + self.noise_std(condition)[:, :, None, None] * noise

    def noise_std(self, condition: Tensor) -> Tensor:
        """Return the std of the noise of each colour, (N, 3), for class and quality."""
        std: Tensor = self.TRACE * self.loudness(condition).clamp(max=self.LOUDEST).exp()
        return std

    def mixed(self, band: Tensor, condition: Tensor) -> Tensor:
        """Return the band with its colours mixed and shifted; sums, for products in bfloat16 would show."""
        weights = self.colours(condition).float()
        mix = weights[:, :9].view(-1, 3, 3) + torch.eye(3, device=band.device)
        mixed: Tensor = (mix[..., None, None] * band[:, None]).sum(dim=2) + weights[:, 9:, None, None]
        return mixed


class Knob(nn.Linear):
    """How strong something is, on a logarithmic scale, as class and quality say; 0 at the start."""

    SPEED = 30.0  # it has to move by 5 and more where a layer's weights move by tenths

    def __init__(self, embedding: int, values: int) -> None:
        super().__init__(embedding, values)
        zero(self)

    def forward(self, condition: Tensor) -> Tensor:
        """Return values (N, V) for embedded classes and qualities (N, E)."""
        return self.SPEED * super().forward(condition).float()


class GreyLevels(nn.Module):
    """Rounds R, G and B to fewer levels: a mixture of roundings, as class and quality say; hardly any at the start."""

    STEPS = (16, 24, 36, 54, 81)  # grey levels of 255 between two that are left
    NONE = 5.0  # logit of no rounding at the start
    steps: Tensor

    def __init__(self, embedding: int) -> None:
        super().__init__()
        self.logits = Knob(embedding, len(self.STEPS))
        self.register_buffer("steps", torch.tensor(self.STEPS), persistent=False)

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        """Return images (N, 3, H, W) on the scale of 0 to 1, rounded."""
        logits = nn.functional.pad(self.logits(condition), (0, 1), value=self.NONE)
        fractions = logits.softmax(dim=1)[:, :-1]  # with any weights, roundings would become a poor man's noise
        step = self.steps[None, :, None, None, None] / 255
        samples = image.detach()[:, None]
        rounded = (samples / step).round() * step  # constant between its jumps: no gradient to follow
        moved: Tensor = image + ((rounded - samples) * fractions[..., None, None, None]).sum(dim=1)
        return moved


class Impulses(nn.Module):
    """Replaces a fraction of the samples of R, G and B, each on its own, by random values; hardly any at the start."""

    RARE = -6.0  # log odds of an impulse at the start: where there are none at all, nothing is learnt
    SHARPNESS = 10.0  # of the relaxed decision (Maddison et al., 2017, the concrete distribution)

    def __init__(self, embedding: int) -> None:
        super().__init__()
        self.log_odds = Knob(embedding, 1)

    def forward(self, image: Tensor, condition: Tensor, chance: Tensor, value: Tensor) -> Tensor:
        """Return images (N, 3, H, W) on the scale of 0 to 1, with impulses; `chance`, `value` are uniform and alike."""
        log_odds = self.RARE + self.log_odds(condition)[:, :, None, None]
        hit = torch.sigmoid(self.SHARPNESS * (log_odds + chance.clamp(1e-6, 1 - 1e-6).logit()))
        struck: Tensor = image + hit * (value - image)
        return struck


def laplacian(image: Tensor, levels: int) -> list[Tensor]:
    """Return the frequency bands of an image (N, C, H, W), the coarsest first, each of half the size of the next."""
    bands = []
    for _ in range(levels - 1):
        smaller = avg_pool2d(image, 2)
        bands.append(image - enlarged(smaller))
        image = smaller
    return [image, *reversed(bands)]


def enlarged(image: Tensor) -> Tensor:
    """Return an image of twice the size."""
    return interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)


def blocky(image: Tensor) -> Tensor:
    """Return an image of twice the size, each pixel a block of two by two."""
    return interpolate(image, scale_factor=2.0, mode="nearest")


def zero(layer: Layer) -> Layer:
    """Return a layer whose output is 0 at the start."""
    for weights in layer.parameters():
        nn.init.zeros_(weights)
    return layer

"""The generator: an auto-encoder with skips that distorts a reference crop (paper, section 3.3)."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gada.models.evaluator import Leaky, layer
from gada.models.pyramid import Band, Noise, Pyramid
from gada.settings import ModelSettings

GRAIN = 3  # noise values a pixel


class Generator(nn.Module):
    """Distorts reference crops to a target distortion class and quality, G(z, x, c, q).

    The encoder has the trunk's convolutions. With `planes` it also sees class and quality, "the input information";
    before up-sampling, the noise z and an embedding of both join the latent maps, and each decoder level receives the
    encoder's maps of its size.
    """

    def __init__(self, settings: ModelSettings, classes: int) -> None:
        super().__init__()
        self.settings = settings
        self.classes = classes
        grain = GRAIN if settings.pixel_noise else 0
        skips = [*settings.widths[-2::-1], 3]  # of the encoder's maps, and of the reference
        bottleneck = settings.widths[-1] + settings.noise + settings.embedding
        encoded = [3 + (classes + 1 if settings.planes else 0), *settings.widths[:-1]]
        decoded = [bottleneck, *(sum(pair) + grain for pair in zip(settings.decoder_widths, skips, strict=True))]
        self.condition = Condition(classes, settings.embedding)
        self.encoder = nn.ModuleList(map(partial(down, settings), encoded, settings.widths))
        self.decoder = nn.ModuleList(map(partial(up, settings), decoded, settings.decoder_widths))
        kind = partial(Modulation if settings.modulation else Unmodulated, condition=settings.embedding)
        self.modulations = nn.ModuleList(map(kind, [*encoded, *decoded[:-1]]))
        shown = list(map(kind, decoded))
        self.output: Pyramid | Painted
        if settings.pyramid:
            refined = [0] * len(settings.widths) + [settings.decoder_widths[-1]]
            parts = zip(shown, decoded, refined, strict=True)
            bands = [Band(show, maps, more, settings.embedding) for show, maps, more in parts]
            self.output = Pyramid(bands, settings.embedding)
        else:
            self.output = Painted(shown[-1], decoded[-1])

    def forward(self, reference: Tensor, label: Tensor, quality: Tensor, noise: Noise) -> Tensor:
        """Return distorted crops.

        Args:
            reference: reference crops x, (N, 3, H, W) in [0, 1]; H and W are multiples of 8.
            label: target classes c, (N,).
            quality: target qualities q, (N,) in [0, 1].
            noise: z, from `draw`.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        condition = self.condition(label, quality)
        encoded = self.encode(reference * 2 - 1, label, quality, condition)
        levels = self.decode(encoded, condition, noise)
        distorted: Tensor = self.output(reference, levels, condition, noise)
        return distorted

    def draw(self, reference: Tensor, source: torch.Generator | None = None) -> Noise:
        """Return noise for reference crops (N, 3, H, W); drawn outside of `forward`, so that it can be compiled whole.

        Args:
            reference: the crops that are to be distorted.
            source: the random generator, on the device of `reference`.
        """
        count, colours, height, width = reference.shape
        parts = [2**level for level in range(len(self.settings.widths), -1, -1)]
        sizes = [(height // part, width // part) for part in parts]

        def normal(channels: int, size: tuple[int, int]) -> Tensor:
            return torch.randn((count, channels, *size), generator=source, device=reference.device)

        latent = normal(self.settings.noise, sizes[0])
        grain = [normal(GRAIN, size) for size in sizes[1:]] if self.settings.pixel_noise else []
        if not self.settings.pyramid:
            return Noise(latent, grain)
        bands = [normal(colours, size) for size in sizes]
        impulses = torch.rand((2, *reference.shape), generator=source, device=reference.device)
        return Noise(latent, grain, bands, impulses.unbind())

    def encode(self, centred: Tensor, label: Tensor, quality: Tensor, condition: Tensor) -> list[Tensor]:
        """Return crops in [-1, 1] and the maps of each layer of the encoder, each half as large as the one before."""
        maps = torch.cat([centred, self.planes(centred, label, quality)], dim=1) if self.settings.planes else centred
        encoded = [centred]
        for down_layer, modulate in zip(self.encoder, self.modulations, strict=False):
            maps = down_layer(modulate(maps, condition))
            encoded.append(maps)
        return encoded

    def planes(self, centred: Tensor, label: Tensor, quality: Tensor) -> Tensor:
        """Return constant maps of class (1 in its own of `classes`) and quality ([-1, 1]), (N, classes + 1, H, W)."""
        of_class = label[:, None] == torch.arange(self.classes, device=label.device)
        values = torch.cat([of_class.to(centred.dtype), (quality * 2 - 1)[:, None]], dim=1)
        return values[:, :, None, None].expand(-1, -1, *centred.shape[2:])

    def decode(self, encoded: Sequence[Tensor], condition: Tensor, noise: Noise) -> list[Tensor]:
        """Return the decoder's maps of what was encoded, from the smallest to the size of the crops."""
        *skips, maps = encoded
        z = noise.latent.to(maps.dtype)
        maps = torch.cat([maps, z, condition[:, :, None, None].expand(-1, -1, *maps.shape[2:])], dim=1)
        levels = [maps]
        modulations = list(self.modulations)[len(self.encoder) :]
        for place, (up_layer, modulate, skip) in enumerate(zip(self.decoder, modulations, skips[::-1], strict=True)):
            maps = up_layer(modulate(maps, condition))
            grain = [part.to(maps.dtype) for part in noise.grain[place : place + 1]]
            maps = torch.cat([maps, skip, *grain], dim=1)
            levels.append(maps)
        return levels


class Painted(nn.Module):
    """The paper's output: the distorted crop itself."""

    def __init__(self, modulation: nn.Module, maps: int) -> None:
        super().__init__()
        self.modulation = modulation
        self.paint = nn.Conv2d(maps, 3, kernel_size=3, padding=1)

    def forward(self, reference: Tensor, levels: Sequence[Tensor], condition: Tensor, noise: Noise) -> Tensor:
        """Return distorted crops (N, 3, H, W) in [0, 1] from the finest maps."""
        del reference, noise
        painted: Tensor = self.paint(self.modulation(levels[-1], condition))
        return torch.sigmoid(painted.float())


@torch.no_grad()
def distort_crops(
    generator: Generator,
    references: Sequence[NDArray[np.uint8]],
    labels: Sequence[int],
    qualities: Sequence[float],
    seed: int = 0,
) -> list[NDArray[np.uint8]]:
    """Distort crops to target classes and qualities, with the same noise at every call.

    Args:
        generator: in eval mode.
        references: crops (H, W, 3) uint8 of one size, H and W multiples of 8.
        labels: the target class of each.
        qualities: the target quality of each, in [0, 1].
        seed: of the noise.

    Returns:
        Crops (H, W, 3) uint8.
    """
    device = next(generator.parameters()).device
    images = torch.from_numpy(np.stack(references)).permute(0, 3, 1, 2).to(device).float() / 255
    noise = generator.draw(images, torch.Generator(device).manual_seed(seed))
    quality = torch.tensor(qualities, dtype=torch.float32, device=device)
    made = generator.forward(images, torch.tensor(labels, device=device), quality, noise)  # never the compiled form
    crops: NDArray[np.uint8] = (made * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return list(crops)


class Condition(nn.Module):
    """Embeds distortion class and quality together, (N, E): the same quality looks different in each class."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.class_embedding = nn.Embedding(classes, channels)
        self.mix = nn.Sequential(nn.Linear(channels + 1, 2 * channels), Leaky(), nn.Linear(2 * channels, channels))

    def forward(self, label: Tensor, quality: Tensor) -> Tensor:
        """Embed classes (N,) and qualities (N,) in [0, 1]."""
        embedding: Tensor = self.mix(torch.cat([self.class_embedding(label), quality[:, None] * 2 - 1], dim=1))
        return embedding


class Modulation(nn.Module):
    """Scales and shifts each map as class and quality say, before a layer uses it.

    How much of the image, its detail and the noise passes is a product of them with class and quality, which sums
    of concatenated maps learn slowly.
    """

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.scale_and_shift = nn.Linear(condition, 2 * channels)

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        """Return maps (N, C, h, w), modulated for conditions (N, E)."""
        both: Tensor = self.scale_and_shift(condition)
        scale, shift = both[:, :, None, None].chunk(2, dim=1)
        return maps * (1 + scale) + shift


class Unmodulated(nn.Identity):
    """Leaves the maps alone, as in the paper."""

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:  # type: ignore[override]
        """Return the maps."""
        del condition
        return maps


def down(settings: ModelSettings, inputs: int, outputs: int) -> nn.Sequential:
    """Return a convolution that halves the size."""
    return layer(nn.Conv2d(inputs, outputs, kernel_size=4, stride=2, padding=1), settings)


def up(settings: ModelSettings, inputs: int, outputs: int) -> nn.Sequential:
    """Return a transposed convolution that doubles the size."""
    return layer(nn.ConvTranspose2d(inputs, outputs, kernel_size=4, stride=2, padding=1), settings)

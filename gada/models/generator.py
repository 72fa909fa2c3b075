"""The generator: an auto-encoder with skips that distorts a reference crop (paper, section 3.3)."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gada.models.evaluator import LEAK
from gada.settings import ModelSettings

PLANES = 8  # channels of class and quality beside the reference


class Generator(nn.Module):
    """Distorts reference crops to an asked distortion class and quality, G(z, x, c, q).

    The encoder has the trunk's three convolutions. Before up-sampling, the noise z and an embedding of class and
    quality join the latent maps; each decoder level receives the encoder's maps of its size.
    """

    def __init__(self, settings: ModelSettings, classes: int) -> None:
        super().__init__()
        self.settings = settings
        self.residual = bool(settings.residual)
        self.noise = settings.noise
        first, second, third = settings.widths
        coarse, middle, fine = settings.decoder_widths
        self.condition = Condition(classes, settings.embedding)
        self.planes = nn.Linear(settings.embedding, PLANES) if settings.condition_planes else None
        self.encoder = nn.ModuleList(
            [down(3 + (PLANES if self.planes else 0), first), down(first, second), down(second, third)]
        )
        latent = third + settings.noise + settings.embedding
        grain = 3 if settings.pixel_noise else 0
        self.decoder = nn.ModuleList(
            [up(latent, coarse), up(coarse + second + grain, middle), up(middle + first + grain, fine)]
        )
        self.grain = nn.ModuleList([Grain(settings.embedding) for _ in range(3)]) if grain else None
        self.output = nn.Conv2d(fine + 3 + grain, 3, kernel_size=3, padding=1)

    def forward(
        self, reference: Tensor, label: Tensor, quality: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return distorted crops.

        Args:
            reference: reference crops x, (N, 3, H, W) in [0, 1]; H and W are multiples of 8.
            label: asked distortion classes c, (N,).
            quality: asked qualities q, (N,) in [0, 1].
            generator: source of the noise z; on the device of `reference`.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        condition = self.condition(label, quality)
        centred = reference * 2 - 1
        maps = centred if self.planes is None else torch.cat([centred, spread(self.planes(condition), centred)], dim=1)
        skips = []
        for layer in self.encoder:
            maps = layer(maps)
            skips.append(maps)
        z = noise_like(maps, self.noise, generator)
        maps = torch.cat([maps, z, spread(condition, maps)], dim=1)
        for level, (layer, skip) in enumerate(zip(self.decoder, [skips[1], skips[0], centred], strict=True)):
            maps = torch.cat([layer(maps), skip], dim=1)
            if self.grain is not None:
                maps = torch.cat([maps, self.grain[level](maps, condition, generator)], dim=1)
        change = self.output(maps)
        return (reference + change).clamp(0, 1) if self.residual else torch.sigmoid(change)


@torch.no_grad()
def distort_crops(
    generator: Generator, references: Sequence[NDArray[np.uint8]], labels: Sequence[int], qualities: Sequence[float]
) -> list[NDArray[np.uint8]]:
    """Distort crops to asked classes and qualities, with the same noise at every call.

    Args:
        generator: the generator, at rest.
        references: crops (H, W, 3) uint8 of one size, H and W multiples of 8.
        labels: the class asked of each.
        qualities: the quality asked of each, in [0, 1].

    Returns:
        Crops (H, W, 3) uint8.
    """
    device = next(generator.parameters()).device
    images = torch.from_numpy(np.stack(references)).permute(0, 3, 1, 2).to(device).float() / 255
    noise = torch.Generator(device).manual_seed(0)
    asked = torch.tensor(qualities, dtype=torch.float32, device=device)
    made = generator(images, torch.tensor(labels, device=device), asked, noise)
    crops: NDArray[np.uint8] = (made * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return list(crops)


class Condition(nn.Module):
    """Embeds distortion class and quality together, (N, E): the same quality looks different in each class."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.class_embedding = nn.Embedding(classes, channels)
        self.mix = nn.Sequential(
            nn.Linear(channels + 1, 2 * channels), nn.LeakyReLU(LEAK), nn.Linear(2 * channels, channels)
        )

    def forward(self, label: Tensor, quality: Tensor) -> Tensor:
        """Embed classes (N,) and qualities (N,) in [0, 1]."""
        embedding: Tensor = self.mix(torch.cat([self.class_embedding(label), quality[:, None] * 2 - 1], dim=1))
        return embedding


class Grain(nn.Module):
    """Noise of one value a pixel and colour, with strengths that class and quality decide."""

    def __init__(self, condition: int) -> None:
        super().__init__()
        self.strength = nn.Linear(condition, 3)

    def forward(self, maps: Tensor, condition: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return noise (N, 3, h, w) of the size of `maps`, for conditions (N, E)."""
        strength: Tensor = self.strength(condition)
        return strength[:, :, None, None] * noise_like(maps, 3, generator)


def down(inputs: int, outputs: int) -> nn.Sequential:
    """Return a convolution that halves the size."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(LEAK))


def up(inputs: int, outputs: int) -> nn.Sequential:
    """Return a transposed convolution that doubles the size."""
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(LEAK))


def spread(vector: Tensor, maps: Tensor) -> Tensor:
    """Repeat a vector (N, C) over the pixels of maps (N, *, h, w)."""
    return vector[:, :, None, None].expand(-1, -1, *maps.shape[2:])


def noise_like(maps: Tensor, channels: int, generator: torch.Generator | None) -> Tensor:
    """Return standard normal noise (N, channels, h, w) of the size and type of `maps`."""
    size = (maps.shape[0], channels, *maps.shape[2:])
    return torch.randn(size, generator=generator, device=maps.device, dtype=maps.dtype)

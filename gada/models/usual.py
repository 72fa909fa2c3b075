"""How unlike the training photos an image is: a Mahalanobis distance of its pooled features."""

import torch
from torch import Tensor, nn


class Usual(nn.Module):
    """Measures features against the photos that it was fitted to.

    The distance is that of a Gaussian along the `directions` in which the photos vary most, with the rest as one more
    direction (probabilistic principal components; Tipping and Bishop, 1999). On the photos themselves it is about 1.

    Args:
        features: F, the number of pooled features.
        directions: D, fewer than photos.
    """

    def __init__(self, features: int, directions: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.directions: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("directions", torch.zeros(features, directions))
        self.register_buffer("std", torch.ones(directions + 1))

    def fit(self, features: Tensor) -> None:
        """Take the features (N, F) of usual photos as the measure; few photos vary in few directions."""
        known = min(self.directions.shape[1], len(features) // 2)
        self.mean.copy_(features.mean(dim=0))
        centred = features - self.mean
        _, _, right = torch.linalg.svd(centred, full_matrices=False)
        self.directions.zero_()
        self.directions[:, :known] = right[:known].T
        self.std.copy_(self.parts(features).square().mean(dim=0).sqrt())
        self.std[self.std < 1e-4] = 1.0  # a direction in which nothing varies

    def parts(self, features: Tensor) -> Tensor:
        """Return the coordinates along the directions and the length of what they leave out, (N, D + 1)."""
        centred = features - self.mean
        along = centred @ self.directions
        rest = (centred.square().sum(dim=1) - along.square().sum(dim=1)).clamp(min=0).sqrt()
        return torch.cat([along, rest[:, None]], dim=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return the distances of features (N, F), (N,)."""
        distance: Tensor = (self.parts(features) / self.std).square().mean(dim=1).sqrt()
        return distance

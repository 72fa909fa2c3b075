"""The logistic maps that full-reference studies fit between predictions and scores before taking LCC."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

Parameters = Literal[4, 5]

NARROWEST, WIDEST = 0.01, 50.0  # width of the logistic, in stds of the predictions
WIDTHS = np.geomspace(NARROWEST, WIDEST, 24)  # grid of the search
PERCENTILES = np.linspace(2, 98, 25)  # grid of the search: centres at these percentiles of the predictions
# Of centre and log width, and of the squared error as a fraction of the scores' own.
PRECISION: Any = {"xatol": 1e-8, "fatol": 1e-12, "maxiter": 5000}
ON_THE_RISE = (0.01, 0.99)  # fraction of the amplitude between which an image determines centre and width


class FitError(ArithmeticError):
    """No logistic curve can be fitted; the message says why."""


@dataclass(frozen=True)
class Logistic:
    """A fitted curve: `amplitude * (logistic((x - centre) / width) - 1/2) + slope * x + offset`.

    With `slope` 0 it is the monotone four-parameter logistic of VQEG (2000); with a free slope it is the
    five-parameter one of Sheikh, Sabir and Bovik (2006), which need not be monotone.
    `amplitude` may be negative, so a fitted LCC does not show the direction of the raw one: state both.
    """

    amplitude: float
    centre: float
    width: float
    slope: float
    offset: float

    def __call__(self, predicted: ArrayLike) -> NDArray[np.float64]:
        """Map predictions to the scale of the scores; any shape, the same shape out."""
        x = np.asarray(predicted, dtype=np.float64)
        rise = expit((x - self.centre) / self.width) - 0.5
        return np.asarray(self.amplitude * rise + self.slope * x + self.offset)


def fit_logistic(predicted: ArrayLike, truth: ArrayLike, parameters: Parameters = 4) -> Logistic:
    """Fit the four- or five-parameter logistic that maps `predicted` to `truth` with the least squared error.

    Amplitude, slope and offset enter linearly and are solved for exactly. Centre and width are searched, first on
    a fixed grid and then from its best cell, with five parameters also from the answer of four, so the result depends
    on no guess and no seed. A very wide logistic is a straight line, a fair answer. A narrow one with fewer than two
    images on its rise is a step, which leaves centre and width undetermined.

    Args:
        predicted: (N,) finite predictions, in any unit.
        truth: (N,) finite scores.
        parameters: 4 or 5.

    Raises:
        FitError: with too few images, constant predictions, a step for an answer, or no convergence.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if x.size <= parameters:
        raise FitError(f"{parameters} parameters need at least {parameters + 1} images, there are {x.size}")
    mean, std = float(x.mean()), float(x.std())
    if std <= 1e-13 * abs(mean):
        raise FitError("the predictions are constant")
    z = (x - mean) / std
    centre, log_width = _search(z, y, parameters)
    risen = expit((z - centre) / np.exp(log_width))
    if np.count_nonzero((risen > ON_THE_RISE[0]) & (risen < ON_THE_RISE[1])) < 2:
        raise FitError("the best curve is a step between two images")
    amplitude, slope, offset = _linear_part(z, y, centre, log_width, parameters)
    slope = slope / std
    return Logistic(amplitude, mean + std * centre, float(np.exp(log_width)) * std, slope, offset - slope * mean)


def _search(z: NDArray[np.float64], y: NDArray[np.float64], parameters: Parameters) -> tuple[float, float]:
    """Return centre and log width, in standardised units, with the least residual."""

    def error(shape: NDArray[np.float64]) -> float:
        columns = _columns(z, shape[0], shape[1], parameters)
        return float(np.sum((columns @ np.linalg.lstsq(columns, y)[0] - y) ** 2) / spread)

    spread = float(np.sum((y - y.mean()) ** 2)) or 1.0
    starts = [_best_cell(z, y, parameters)]
    if parameters == 5:
        starts.append(_search(z, y, 4))  # with a line more, what four parameters reach is never lost
    bounds = [(z.min(), z.max()), (np.log(NARROWEST), np.log(WIDEST))]
    fits = [minimize(error, start, method="Nelder-Mead", bounds=bounds, options=PRECISION) for start in starts]
    best = min(fits, key=lambda fit: float(fit.fun))
    if not best.success:
        raise FitError("the search did not converge")
    return float(best.x[0]), float(best.x[1])


def _best_cell(z: NDArray[np.float64], y: NDArray[np.float64], parameters: Parameters) -> tuple[float, float]:
    """Return centre and log width of the grid's best curve: the one with the largest (partial) correlation."""
    centres = np.percentile(z, PERCENTILES)
    risen = expit((z - centres[:, None, None]) / WIDTHS[:, None])  # (centres, widths, N)
    left = np.stack([np.ones_like(z), z][: parameters - 3])  # what the other parameters take away
    basis = np.linalg.qr(left.T)[0]
    risen -= risen @ basis @ basis.T
    y = y - y @ basis @ basis.T
    spread = np.sqrt(np.sum(risen**2, axis=-1))
    gain = np.abs(risen @ y) / np.maximum(spread, 1e-9)
    centre, width = np.unravel_index(int(np.argmax(gain)), gain.shape)
    return float(centres[centre]), float(np.log(WIDTHS[width]))


def _linear_part(
    z: NDArray[np.float64], y: NDArray[np.float64], centre: float, log_width: float, parameters: Parameters
) -> tuple[float, float, float]:
    """Return amplitude, slope and offset with the least squared error for this centre and width."""
    columns = _columns(z, centre, log_width, parameters)
    solution = [float(value) for value in np.linalg.lstsq(columns, y)[0]]
    return solution[0], solution[2] if parameters == 5 else 0.0, solution[1]


def _columns(z: NDArray[np.float64], centre: float, log_width: float, parameters: Parameters) -> NDArray[np.float64]:
    """Return the (N, parameters - 2) design matrix: logistic, one and, with five parameters, the line."""
    rise = expit((z - centre) / np.exp(log_width)) - 0.5
    return np.stack([rise, np.ones_like(z), z][: parameters - 2], axis=1)

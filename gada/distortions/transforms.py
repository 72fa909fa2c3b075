"""Distortions of methods that work on cosine transforms: denoising, sparse approximation, coding of noise."""

from math import inf

import numpy as np
from numpy.random import Generator
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter

from gada.distortions.compression import decode, encode_jpeg_flat, jpeg2000_at_psnr
from gada.distortions.noise import add_to_psnr, white_noise
from gada.distortions.pixels import Floats, Pixels, rgb_to_ycbcr, to_uint8, ycbcr_to_rgb
from gada.metrics.psnr import psnr

_SIDE = 8
_STEP = 2


def denoised(image: Pixels, sigma: float, random: Generator) -> Pixels:
    """Add white noise of std `sigma` and remove it by hard thresholding of a sliding DCT.

    Each of R, G and B on its own: blocks of 8 x 8 at every second pixel both ways, threshold 2.7 `sigma`, each block
    weighted by the inverse of the number of coefficients it kept.
    """
    height, width = image.shape[:2]
    down, across = height // _SIDE + 2, width // _SIDE + 2
    noisy = white_noise(image, sigma, random).astype(np.float32)
    margins = ((_SIDE, (down + 1) * _SIDE - height), (_SIDE, (across + 1) * _SIDE - width), (0, 0))
    padded = np.pad(noisy, margins, mode="symmetric")
    total, weights = np.zeros_like(padded), np.zeros_like(padded)
    for top in range(0, _SIDE, _STEP):
        for left in range(0, _SIDE, _STEP):
            window = np.s_[top : top + down * _SIDE, left : left + across * _SIDE]
            blocks = padded[window].reshape(down, _SIDE, across, _SIDE, 3)
            coefficients = dctn(blocks, axes=(1, 3), norm="ortho")
            kept = np.abs(coefficients) >= 2.7 * sigma
            kept[:, 0, :, 0] = True
            weight = (1 / kept.sum((1, 3), keepdims=True)).astype(np.float32)
            cleaned = idctn(coefficients * kept, axes=(1, 3), norm="ortho") * weight
            total[window] += cleaned.reshape(total[window].shape)
            weights[window] += np.broadcast_to(weight, blocks.shape).reshape(total[window].shape)
    inside = np.s_[_SIDE : _SIDE + height, _SIDE : _SIDE + width]
    return to_uint8((total[inside] / weights[inside]).astype(np.float64))


def sparse_reconstruction(image: Pixels, psnr_db: float) -> Pixels:
    """Rebuild the image from as few coefficients of its DCT (whole image, Y, Cb and Cr) as give `psnr_db`.

    The largest coefficients are kept, weighted by their part in R, G and B; the others are 0.
    """
    # A std of 1 in Y, Cb or Cr is one of this size in R, G and B: the columns of the inverse transform.
    weight = np.sqrt(np.array([3.0, 1.772**2 + 0.344**2, 1.402**2 + 0.714**2]))
    spectrum = dctn(rgb_to_ycbcr(image), axes=(0, 1), norm="ortho")
    sizes = np.abs(spectrum * weight)
    ordered = np.sort(sizes.ravel())
    lost = np.cumsum(ordered**2)
    target = psnr_db
    best, best_error = image, inf
    for _ in range(5):  # clipping makes the result better than the sum of squares says
        allowed = 255**2 * 10 ** (-target / 10) * image.size
        threshold = ordered[min(int(np.searchsorted(lost, allowed)), len(ordered) - 1)]
        rebuilt = idctn(np.where(sizes < threshold, 0.0, spectrum), axes=(0, 1), norm="ortho")
        distorted = to_uint8(ycbcr_to_rgb(rebuilt))
        error = psnr(distorted, image) - psnr_db
        if abs(error) < best_error:
            best, best_error = distorted, abs(error)
        if best_error < 0.03:
            break
        target -= error
    return best


def comfort_noise(image: Pixels, psnr_db: float, random: Generator) -> Pixels:
    """Compress at 2 dB above `psnr_db`, then put luminance noise in place of the lost texture.

    The noise follows the local energy of what the coder (JPEG2000) has lost (Gaussian mean, sigma 4), and brings the
    PSNR over R, G and B down to `psnr_db`.
    """
    coded = jpeg2000_at_psnr(image, psnr_db + 2)
    lost: Floats = (image.astype(np.float64) - coded) ** 2
    std = np.sqrt(gaussian_filter(lost.mean(-1), 4.0))
    noise = random.standard_normal(image.shape[:2]) * std
    return add_to_psnr(image, coded, np.repeat(noise[..., None], 3, axis=-1), psnr_db)


def compressed_noisy(image: Pixels, sigma: float, step: float, random: Generator) -> Pixels:
    """Add white noise of std `sigma`, then compress with a quantization step of `step` grey levels.

    The coder is JPEG with one step for all coefficients and full chroma.
    """
    return decode(encode_jpeg_flat(white_noise(image, sigma, random), step))

"""Random views of the input: what the encoder must not rely on."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from genurl_graph.config.views import ImageViewConfig
from genurl_graph.runtime.random import rand


def keep_nodes(hidden: Tensor) -> Tensor:
    """Random mask of the nodes whose features are seen, float32 [n, 1], of each node's probability `hidden` [n].

    A node whose features are hidden is embedded from its neighbours' alone (GraphMAE masks nodes, arXiv 2205.10803).
    """
    return (rand(hidden.shape, hidden.device, hidden.dtype) >= hidden).to(hidden.dtype)[:, None]


# Luminance of red, green and blue (ITU-R BT.601), and the two axes of chroma (YIQ) in which a hue is an angle.
_LUMA = (0.299, 0.587, 0.114)
_I = (0.596, -0.274, -0.322)
_Q = (0.211, -0.523, 0.312)
# Width of the blur's window, for images of 32 pixels; it grows with them.
_TAPS = 5
# Deviations of the blur in pixels, for images of 32 pixels.
_SIGMA = (0.3, 1.2)


def random_view(images: Tensor, views: ImageViewConfig) -> Tensor:
    """A random view of every image.

    Parameters
    ----------
    images : Tensor, float, shape [n, c, h, w]
        Three channels are red, green and blue; hue and grey change no others.
    views : ImageViewConfig

    Returns
    -------
    Tensor, float, shape [n, c, h, w]
    """
    seen = _window(images, views)
    seen = _colours(seen, views)
    return _blurred(seen, views.blur) if views.blur > 0 else seen


def _window(images: Tensor, views: ImageViewConfig) -> Tensor:
    """A random part of each image at the size of the whole, mirrored with probability ``flip``."""
    if views.crop == 1 and views.flip == 0:
        return images
    n = len(images)
    area = _uniform(images, n, views.crop, 1.0)
    # A ratio as far from 1 as is asked for and as leaves both sides within the image.
    extreme = area.clamp_min(views.ratio).log()
    ratio = torch.exp(_uniform(images, n, -1.0, 1.0) * extreme)
    sides = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], 1)
    shift = _uniform(images, (n, 2), -1.0, 1.0) * (1 - sides)
    mirrored = 1 - 2 * (rand(n, images.device) < views.flip).to(images.dtype)
    theta = images.new_zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = sides[:, 0] * mirrored, sides[:, 1]
    theta[:, :, 2] = shift
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _colours(images: Tensor, views: ImageViewConfig) -> Tensor:
    """Brightness and contrast; of coloured images saturation, hue and grey as well."""
    n, channels = images.shape[:2]
    if views.jitter > 0:
        low, high = 1 - views.jitter, 1 + views.jitter
        mean = images.mean((1, 2, 3), keepdim=True)
        contrast = _uniform(images, (n, 1, 1, 1), low, high)
        images = torch.lerp(mean, images, contrast) * _uniform(images, (n, 1, 1, 1), low, high)
    if channels != 3 or not (views.jitter or views.hue or views.grey):
        return images
    mix = _mixing(images, views)
    return torch.einsum("nij,njhw->nihw", mix, images)


def _mixing(images: Tensor, views: ImageViewConfig) -> Tensor:
    """New colours of old ones, [n, 3, 3]: chroma turned by a hue and scaled by a saturation, which is 0 for grey."""
    n = len(images)
    yiq = images.new_tensor([_LUMA, _I, _Q])
    saturation = _uniform(images, n, 1 - views.jitter, 1 + views.jitter)
    saturation = saturation * (rand(n, images.device) >= views.grey)
    angle = _uniform(images, n, -math.pi, math.pi) * views.hue
    turned = images.new_zeros(n, 3, 3)
    turned[:, 0, 0] = 1
    turned[:, 1, 1] = turned[:, 2, 2] = saturation * angle.cos()
    turned[:, 2, 1] = saturation * angle.sin()
    turned[:, 1, 2] = -turned[:, 2, 1]
    mix: Tensor = torch.linalg.inv(yiq) @ turned @ yiq
    return mix


def _blurred(images: Tensor, share: float) -> Tensor:
    """Gaussian blur of a share of the images, each by its own deviation."""
    n, height, width = len(images), images.size(2), images.size(3)
    unit = min(height, width) / 32
    reach = min(max(1, round(_TAPS // 2 * unit)), min(height, width) - 1)
    offset = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    sigma = _uniform(images, (n, 1), *_SIGMA) * unit
    window = torch.softmax(-(offset**2) / (2 * sigma**2), 1)
    sharp = rand((n, 1), images.device) >= share
    window = torch.where(sharp, (offset == 0).to(images.dtype), window).view(n, -1, 1, 1, 1)
    for axis in (2, 3):
        pad = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
        padded, size = F.pad(images, pad, mode="reflect"), images.size(axis)
        images = sum(window[:, k] * padded.narrow(axis, k, size) for k in range(2 * reach + 1))  # type: ignore[assignment]
    return images


def _uniform(like: Tensor, shape: int | tuple[int, ...], low: float, high: float) -> Tensor:
    return rand(shape, like.device, like.dtype) * (high - low) + low

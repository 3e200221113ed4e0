"""Random views of images: what each change leaves as it was, and how far it may go."""

import pytest
import torch

from genurl_graph.config.views import ImageViewConfig
from genurl_graph.objectives.views import random_view


def pictures(n=64, channels=3, side=16, seed=0):
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_nothing_asked_for_changes_nothing():
    images = pictures()
    assert torch.equal(random_view(images, ImageViewConfig()), images)


def test_flip_mirrors_columns_of_about_half_the_images():
    images = pictures(400)
    seen = random_view(images, ImageViewConfig(flip=0.5))
    same = torch.isclose(seen, images, atol=1e-5).flatten(1).all(1)
    mirrored = torch.isclose(seen, images.flip(3), atol=1e-5).flatten(1).all(1)
    assert bool((same ^ mirrored).all())
    assert 150 < int(mirrored.sum()) < 250


@pytest.mark.parametrize(("crop", "ratio"), [(0.25, 0.5), (0.6, 0.75), (0.9, 0.5)])
def test_a_crop_is_a_window_of_the_image_of_at_least_that_area(crop, ratio):
    side = 33
    place = torch.arange(side, dtype=torch.float32)
    # The pixels say where they are, so that a view says what it saw.
    across, down = place.expand(side, side), place[:, None].expand(side, side)
    images = torch.stack([across, down]).expand(500, 2, side, side)
    seen = random_view(images, ImageViewConfig(crop=crop, ratio=ratio))
    assert float(seen.min()) >= 0
    assert float(seen.max()) <= side - 1
    # From the centre of the first pixel seen to that of the last.
    width = (seen[:, 0, 0, -1] - seen[:, 0, 0, 0]) / (side - 1)
    height = (seen[:, 1, -1, 0] - seen[:, 1, 0, 0]) / (side - 1)
    area = width * height
    # Half a pixel at the border repeats itself.
    assert float(area.min()) > crop - 0.05
    assert float(area.max()) < 1.001
    assert float(area.std()) > 0.01
    assert float((width / height).min()) > ratio - 0.05
    # Nothing is turned or sheared.
    torch.testing.assert_close(seen[:, 0, 0], seen[:, 0, -1], atol=1e-3, rtol=0)


def test_jitter_scales_an_image_and_its_distance_from_the_mean():
    images = pictures(200, channels=1)
    seen = random_view(images, ImageViewConfig(jitter=0.4))
    brightness = seen.mean((1, 2, 3)) / images.mean((1, 2, 3))
    contrast = seen.std((1, 2, 3)) / images.std((1, 2, 3)) / brightness
    for found in (brightness, contrast):
        assert float(found.min()) > 0.6 - 1e-4
        assert float(found.max()) < 1.4 + 1e-4
        assert float(found.std()) > 0.1


def luminance(images):
    return torch.einsum("c,nchw->nhw", torch.tensor([0.299, 0.587, 0.114]), images)


def test_hue_keeps_luminance_and_chroma_turns_by_a_bounded_angle():
    images = pictures()
    seen = random_view(images, ImageViewConfig(hue=0.2))
    torch.testing.assert_close(luminance(seen), luminance(images), atol=1e-4, rtol=0)
    chroma = torch.tensor([[0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    before, after = (torch.einsum("kc,nchw->nkhw", chroma, each) for each in (images, seen))
    torch.testing.assert_close(before.norm(dim=1), after.norm(dim=1), atol=1e-4, rtol=1e-3)
    cosine = torch.nn.functional.cosine_similarity(before, after, dim=1).clamp(-1, 1)
    angle = cosine[before.norm(dim=1) > 0.1].acos()
    assert 0.1 * torch.pi < float(angle.max()) < 0.2 * torch.pi + 1e-2


def test_grey_images_have_equal_channels_and_their_luminance():
    images = pictures()
    seen = random_view(images, ImageViewConfig(grey=1.0))
    torch.testing.assert_close(seen, luminance(images)[:, None].expand_as(images), atol=1e-4, rtol=0)


def test_hue_and_grey_leave_images_of_one_channel():
    images = pictures(channels=1)
    assert torch.equal(random_view(images, ImageViewConfig(hue=0.5, grey=1.0)), images)


@pytest.mark.parametrize("side", [16, 32, 64])
def test_blur_keeps_constants_and_smooths_the_rest(side):
    images = pictures(side=side)
    flat = torch.full_like(images, 0.3)
    torch.testing.assert_close(random_view(flat, ImageViewConfig(blur=1.0)), flat)
    seen = random_view(images, ImageViewConfig(blur=1.0))
    rough, smooth = (each.diff(dim=3).square().mean((1, 2, 3)) for each in (images, seen))
    # Hardly, where an image drew a small deviation.
    assert bool((smooth <= 1.0001 * rough).all())
    assert float((smooth / rough).mean()) < 0.8
    half = random_view(images, ImageViewConfig(blur=0.5))
    unchanged = torch.isclose(half, images).flatten(1).all(1)
    assert 10 < int(unchanged.sum()) < 54


def test_every_image_draws_its_own_and_the_seed_repeats_them():
    images = pictures(1).expand(32, -1, -1, -1)
    views = ImageViewConfig(crop=0.5, flip=0.5, jitter=0.3, hue=0.1, grey=0.2, blur=0.5)
    first = random_view(images, views)
    assert len({tuple(each.flatten()[:5].tolist()) for each in first}) == 32
    torch.manual_seed(0)
    assert torch.equal(random_view(images, views), first)
    torch.manual_seed(0)
    last = images.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(random_view(last, views), first)

"""Density images: colours and opacity of their pixels."""

import numpy as np
import pytest

from genurl_graph.plotting.density import density_image


def test_a_pixel_has_the_mean_colour_of_its_points_and_crowds_are_denser() -> None:
    red, blue = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    points = np.array([[0, 0]] * 3 + [[9.9, 0]] + [[0, 4.9]] * 2)
    colours = np.array([red] * 3 + [blue] + [red, blue])
    image, extent = density_image(points, colours, pixels=10)
    assert image.shape[:2] == (5, 10)
    assert extent == pytest.approx((0, 9.9, 0, 4.95))
    np.testing.assert_allclose(image[0, 0, :3], red)
    np.testing.assert_allclose(image[0, 9, :3], blue)
    np.testing.assert_allclose(image[4, 0, :3], (red + blue) / 2)
    opacity = image[[0, 4, 0], [0, 0, 9], 3]
    np.testing.assert_allclose(opacity, [1, 0.25 + 0.75 * 2 / 3, 0.25 + 0.75 / 3], rtol=1e-6)
    assert (image[..., 3] > 0).sum() == 3


def test_points_without_weight_count_where_they_are_alone() -> None:
    points = np.array([[0.0, 0], [0, 0], [1, 0]])
    image, _ = density_image(points, np.array([[0.25], [1.0], [1.0]]), 2, weight=np.array([1.0, 1e-6, 1e-6]))
    np.testing.assert_allclose(image[0, :, 0], [0.25, 1.0], atol=1e-5)
    np.testing.assert_allclose(image[0, :, 1], [1.0, 0.25 + 0.75 / 2])


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), 3e8), np.c_[np.arange(5.0), np.zeros(5)]])
def test_density_of_a_spot_or_a_line(points: np.ndarray) -> None:
    image, (left, right, bottom, top) = density_image(points, np.zeros(3), pixels=20)
    assert left < right
    assert bottom < top
    assert max(image.shape[:2]) <= 20
    assert (image[..., 3] > 0).sum() == len(np.unique(points, axis=0))

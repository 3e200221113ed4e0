"""Self-supervised images through the estimator: what is learned, what goes in, what is refused."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.utils.data import Dataset, Subset
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.datasets import read
from genurl_graph.exceptions import InputError
from tests.resumed import assert_resumes

SMALL = {"encoder.hidden": 16, "encoder.dim": 8, "sampling.batch_size": 32, "loss.projector": 16}


def random_images(n=48, channels=3, height=8, width=8):
    return np.random.default_rng(0).random((n, channels, height, width), dtype=np.float32)


def model(encoder="cnn", epochs=1, **more):
    more = {key.replace("__", "."): value for key, value in more.items()}
    return GenURL(task="images", encoder=encoder, epochs=epochs, random_state=0, config=SMALL | more)


def probe(z, y):
    half = len(z) // 2
    return LogisticRegression(max_iter=2000).fit(z[:half], y[:half]).score(z[half:], y[half:])


@pytest.mark.parametrize(("encoder", "floor"), [("cnn", 0.8), ("resnet", 0.65)])
def test_learns_what_the_untrained_encoder_does_not_know(digits, encoder, floor):
    x, y = (digits[0] / 16).reshape(-1, 1, 8, 8), digits[1]
    # A digit is another one in a mirror.
    config = {"encoder.hidden": 32, "encoder.dim": 32, "images.flip": 0.0, "images.crop": 0.7}
    config |= {"sampling.batch_size": 128}
    fitted = GenURL(task="images", encoder=encoder, epochs=3, random_state=0, config=config).fit(x)
    trained, untrained = probe(fitted.embedding_, y), probe(fitted.untrained_embedding(), y)
    assert trained > floor
    assert trained > untrained + 0.15
    assert fitted.loss_history_[-1] < fitted.loss_history_[0]


def test_new_images_are_embedded_each_alone_and_by_a_saved_model(tmp_path):
    x = random_images()
    fitted = model().fit(x)
    torch.testing.assert_close(torch.as_tensor(fitted.transform(x)), fitted.embedding_, atol=1e-5, rtol=1e-5)
    few = fitted.transform(x[[7, 3]])
    np.testing.assert_allclose(few, fitted.embedding_[[7, 3]], atol=1e-5, rtol=1e-5)
    fitted.save(tmp_path / "model")
    np.testing.assert_array_equal(GenURL.load(tmp_path / "model").transform(x[:5]), fitted.transform(x[:5]))


def test_resumed_run_is_the_uninterrupted_one(tmp_path):
    made = model(epochs=2, training__checkpoint_every=1)
    assert_resumes(lambda **options: clone(made).set_params(**options), random_images(), tmp_path / "c", at=1)


def test_same_images_by_every_way_in(tmp_path):
    whole = np.random.default_rng(1).integers(0, 256, (40, 12, 8, 3), dtype=np.uint8)
    for number, pixels in enumerate(whole):
        Image.fromarray(pixels).save(tmp_path / f"{number:02}.png")

    array = (whole / np.float32(255)).transpose(0, 3, 1, 2)
    expected = model().fit_transform(array)
    assert expected.shape == (40, 8)
    labelled = Subset([(Image.fromarray(pixels), "a label") for pixels in whole], range(40))
    np.testing.assert_array_equal(model().fit_transform(labelled), expected)
    np.testing.assert_array_equal(model().fit_transform(torch.from_numpy(array)).numpy(), expected)
    rows = array.transpose(0, 2, 3, 1).reshape(40, -1)
    np.testing.assert_array_equal(model(encoder__image="12x8x3").fit_transform(rows), expected)
    # A folder says by itself that its images are no squares.
    np.testing.assert_array_equal(model().fit_transform(read(tmp_path)).numpy(), expected)


def test_a_module_of_the_users_own():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))
    before = [p.clone() for p in network.parameters()]
    fitted = model(network).fit(random_images())
    assert fitted.embedding_.shape == (48, 5)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    assert not torch.equal(fitted.encoder_[0].weight, network[0].weight)


@pytest.mark.parametrize("loss", ["infonce", "barlow", "kl", "bce"])
def test_other_losses_train_too(loss):
    more = {"merge__feature_weight": 0.0} if loss != "bce" else {"loss__metric": "euclidean", "loss__temperature": 1.0}
    fitted = model(loss__name=loss, epochs=2, **more).fit(random_images())
    assert torch.isfinite(fitted.embedding_).all()


def dataset(*items):
    return Subset(items, range(len(items)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Dataset(), "Dataset: found a dataset without a length"),
        (Data(x=torch.rand(40, 64), edge_index=torch.tensor([[0, 1], [1, 0]])), "task images: found edges"),
        (dataset(torch.zeros(3, 8, 8), torch.zeros(3, 8, 9)), "Subset: item 1: found an image 3x8x9; expected 3x8x8"),
        (dataset(torch.zeros(3, 8, 8), torch.zeros(1, 8, 8)), "Subset: item 1: found an image 1x8x8; expected 3x8x8"),
        (dataset(torch.zeros(3, 8, 8), "text"), "Subset: item 1: found no image"),
        (dataset(), "Subset: found no images"),
        (random_images(20), "sampling.batch_size: found 32 for 20 images; expected 2 to 20"),
        (np.zeros((40, 10)), "encoder.image: found 10 columns, which are no square images"),
        (np.full((40, 3, 8, 8), np.nan), "NaN"),
        (random_images(height=2), "encoder cnn: found images of 2 x 8"),
    ],
)
def test_bad_images_are_named(data, message):
    with pytest.raises(InputError, match=message):
        model().fit(data)


def test_encoders_of_rows_are_refused():
    with pytest.raises(InputError, match="encoder: found 'mlp', which reads no images; expected cnn, resnet"):
        model("mlp").fit(torch.rand(40, 64))

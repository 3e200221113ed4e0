"""Maps that go on from a finished one: where new samples begin, on what scale, and that the others stay."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.config import load_preset
from genurl_graph.exceptions import InputError
from genurl_graph.graph.affinity import kernel
from genurl_graph.inputs.start import Start
from genurl_graph.tasks.continuation import BALANCE, fitting_temperature, join
from tests.conftest import threads

LOSS = load_preset("reduce").loss


def known(z: list[list[float]], held: list[bool]) -> Start:
    return Start(torch.tensor(z), torch.tensor(held), finished=True)


def undirected(edges: list[tuple[int, int]], p: list[float]) -> tuple[torch.Tensor, torch.Tensor]:
    index = torch.tensor([*edges, *((j, i) for i, j in edges)]).T
    return index, torch.tensor([*p, *p])


def test_new_samples_begin_among_their_neighbours():
    edges = undirected([(0, 1), (1, 2)], [3.0, 1.0])
    z = join(*edges, known([[0.0, 0], [0, 0], [4, 8]], [True, False, True]))
    assert z.tolist() == [[0, 0], [1, 2], [4, 8]]
    # A chain: its far end is reached through new ones, and nothing that was known moves.
    edges = undirected([(i, i + 1) for i in range(9)], [1.0] * 9)
    start = known([[5.0, 5]] + [[0.0, 0]] * 9, [True] + [False] * 9)
    torch.testing.assert_close(join(*edges, start), torch.full((10, 2), 5.0))


def test_component_of_new_samples_begins_outside_the_map():
    edges = undirected([(0, 1), (1, 2), (3, 4), (5, 6)], [1.0] * 4)
    z = join(*edges, known([[1.0, 0], [-1, 0], [0, 1]] + [[0.0, 0]] * 4, [True] * 3 + [False] * 4))
    assert torch.equal(z[3], z[4])
    assert torch.equal(z[5], z[6])
    assert not torch.equal(z[3], z[5])
    assert (z[3:] - z[:3].mean(0)).norm(dim=1).min() > (z[:3] - z[:3].mean(0)).norm(dim=1).max()


def naive_divergence(edge_index, p, z, temperature):
    """The divergence with the profiled scale, dense and in float64, but for a constant."""
    q = kernel(torch.cdist(z.double(), z.double()).square() / temperature, LOSS.nu).fill_diagonal_(0)
    return float(q.sum().log() - BALANCE * (p.double() * q[*edge_index].log()).sum() / p.double().sum())


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**16), scale=st.floats(-3, 3))
def test_temperature_is_where_the_divergence_is_least(seed, scale):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(40, 2, generator=generator) * 10**scale
    near = torch.cdist(z, z).fill_diagonal_(torch.inf).topk(4, largest=False).indices
    edges = torch.stack([torch.arange(40).repeat_interleave(4), near.view(-1)])
    p = torch.rand(160, generator=generator) + 0.1
    found = fitting_temperature(edges, p, z, LOSS)
    grid = 10 ** (2 * scale) * 2.0 ** np.linspace(-8, 8, 161)
    least = min(naive_divergence(edges, p, z, temperature) for temperature in grid)
    assert naive_divergence(edges, p, z, found) <= least + 2e-3
    # In units of the map, whatever these are.
    assert fitting_temperature(edges, p, 2 * z, LOSS) == pytest.approx(4 * found, rel=0.02)


def test_temperature_of_points_that_coincide_stays():
    edges, p = undirected([(0, 1)], [1.0])
    assert fitting_temperature(edges, p, torch.zeros(2, 2), LOSS) == LOSS.temperature


def radius(z):
    return float((z - z.mean(0)).square().sum(1).mean().sqrt())


def movement(before, after):
    """Distances that points have moved, in radii of the map before; nothing is aligned."""
    return (after[: len(before)] - before).norm(dim=1) / radius(before)


def scores(x, z, y):
    neighbors = KNeighborsClassifier(10).fit(z, y).kneighbors(return_distance=False)
    accuracy = np.mean([np.bincount(y[near]).argmax() == own for near, own in zip(neighbors, y, strict=True)])
    return accuracy, trustworthiness(x, z, n_neighbors=10)


@pytest.mark.usefixtures("one_thread")
def test_growing_data_keep_their_map(digits):
    """The bar: half of the points move by less than 5 % of the radius, and the map is as good as a fresh one."""
    x, y = (part[np.random.default_rng(0).permutation(1797)] for part in digits)
    half, most = 898, 1347
    model = first = GenURL(random_state=0).fit(x[:half])
    for n in (most, len(x)):
        before, model = model.embedding_, GenURL(random_state=0).fit(x[:n], init=model)
        assert float(movement(before, model.embedding_).median()) < 0.05
        assert radius(model.embedding_) == pytest.approx(radius(before), rel=0.05)
    assert float(movement(first.embedding_, model.embedding_).median()) < 0.05
    fresh = GenURL(random_state=0).fit(x)
    for kept, anew in zip(*(scores(x, m.embedding_, y) for m in (model, fresh)), strict=True):
        assert kept > anew - 0.01


@pytest.fixture(scope="module")
def grown(digits):
    """400 samples, and a finished map of the first 300."""
    x = digits[0][:400]
    return x, GenURL(random_state=0, epochs=100, deterministic=True).fit(x[:300])


def test_map_of_any_scale_goes_on(grown):
    x, first = grown
    options = {"random_state": 0, "epochs": 30, "deterministic": True}
    plain = GenURL(**options).fit(x, init=first.embedding_)
    small = GenURL(**options).fit(x, init=first.embedding_ / 100)
    assert float(movement(first.embedding_, plain.embedding_).median()) < 0.05
    assert float(movement(first.embedding_ / 100, small.embedding_).median()) < 0.05
    assert small.config_.loss.temperature == pytest.approx(plain.config_.loss.temperature / 1e4, rel=0.3)
    # New samples find their neighbours on that scale, too.
    np.testing.assert_array_equal(small.transform(x[:5]), small.embedding_[:5].numpy())


def test_identity_edges_hold_what_was_there(grown):
    x, first = grown
    moved = []
    for weight in (0, 0.1, 1):
        model = GenURL(random_state=0, epochs=50, config={"merge.identity_weight": weight}).fit(x, init=first)
        moved.append(float(movement(first.embedding_, model.embedding_).median()))
    assert moved[0] > 1.5 * moved[1] > 3 * moved[2] > 0


def test_names_say_which_samples_were_there(grown):
    x, first = grown
    names = [f"image {i}" for i in range(400)]
    frame = pd.DataFrame(x, index=names)
    options = {"random_state": 0, "epochs": 10, "deterministic": True}
    plain = GenURL(**options).fit(frame, init=first.embedding_)
    coordinates = pd.DataFrame(first.embedding_.numpy(), index=names[:300])
    by_name = GenURL(**options).fit(frame, init=coordinates.sample(frac=1, random_state=0))
    assert torch.equal(by_name.embedding_, plain.embedding_)
    # A model knows the names of its samples; those that have gone are no matter.
    later = GenURL(**options).fit(frame.iloc[::-1].head(250), init=plain)
    at = [plain.node_id_.tolist().index(name) for name in later.node_id_]
    assert float(movement(plain.embedding_[at], later.embedding_).median()) < 0.05


def test_repeats_resumes_and_is_saved(grown, tmp_path):
    x, first = grown
    options = {"random_state": 0, "epochs": 8, "deterministic": True}
    whole = GenURL(**options).fit(x, init=first)
    with threads(2):
        assert torch.equal(GenURL(**options).fit(x, init=first).embedding_, whole.embedding_)

    def interrupt(epoch, loss):
        if epoch == 3:
            raise KeyboardInterrupt

    kept = options | {"checkpoint": tmp_path / "run.ckpt", "config": {"training.checkpoint_every": 2}}
    with pytest.raises(KeyboardInterrupt):
        GenURL(**kept).fit(x, init=first, callbacks=[interrupt])
    with pytest.raises(InputError, match="another run: checksum"):
        GenURL(**kept, resume=True).fit(x, init=first.embedding_[:299])
    assert torch.equal(GenURL(**kept, resume=True).fit(x, init=first).embedding_, whole.embedding_)
    whole.save(tmp_path / "model")
    loaded = GenURL.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(x[:3]), whole.transform(x[:3]))
    assert loaded.config_ == whole.config_
    # Its settings are those of a map that goes on; alone they make none.
    with pytest.raises(InputError, match=r"encoder.init: found 'previous' without coordinates"):
        loaded.fit(x)
    again = GenURL(**options).fit(x, init=loaded)  # without names: rows in their order
    assert float(movement(whole.embedding_, again.embedding_).median()) < 0.05


def test_new_group_finds_room_outside(digits):
    x, y = digits
    order = np.r_[np.flatnonzero(y < 2)[:200], np.flatnonzero(y == 2)[:60]]
    first = GenURL(random_state=0, epochs=60).fit(x[order[:200]])
    grown = GenURL(random_state=0, epochs=60).fit(x[order], init=first)
    # The radius of so small a map is a few widths of the kernel.
    assert float(movement(first.embedding_, grown.embedding_).median()) < 0.1
    assert scores(x[order], grown.embedding_, y[order])[0] > 0.97


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (np.zeros((401, 2)), "init of fit: found 401 rows for 400 samples"),
        (np.zeros((5, 3)), "init: found 3 columns; expected 2, those of the embedding"),
        (np.full((5, 2), np.nan), "init: found 10 NaN or infinite values"),
        ("pca", "init of fit: found 'pca'; expected a fitted model, or the coordinates"),
        (GenURL(), "init of fit: found a GenURL that is not fitted"),
        (pd.DataFrame(np.zeros((2, 2)), index=["a", "b"]), "init of fit: found 2 rows, of no sample that is in X"),
    ],
)  # fmt: skip
def test_bad_maps(grown, init, message):
    with pytest.raises(InputError, match=message):
        GenURL(epochs=1).fit(grown[0], init=init)


def test_map_is_refused_where_nothing_goes_on(grown):
    x, first = grown
    with pytest.raises(InputError, match="init: found coordinates for the encoder mlp"):
        GenURL(encoder="mlp", epochs=1).fit(x, init=first)
    graph = Data(x=torch.from_numpy(x), edge_index=torch.arange(400).view(2, 200))
    with pytest.raises(InputError, match="init: found a finished map for the task graph; expected the task reduce"):
        GenURL(2, encoder="free", epochs=1, config={"merge.evidence": "none"}).fit(graph, init=first)

"""Settings of runs by partitions: those in memory, found on a sample, kept and compared."""

from pathlib import Path
from typing import Any

import pytest
import torch

from genurl_graph.config.toml import flatten
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.partitioned import Prepared, write_prepared
from genurl_graph.tasks.evidence import heed_evidence
from genurl_graph.tasks.partitioned.resolve import check_asked, resolve_run
from genurl_graph.tasks.partitioned.settings import RunSettings, checksum_of
from genurl_graph.tasks.resolve import resolve_config


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """500 nodes whose features tell their classes, but for one column of noise and one that is the degree."""
    graph = planted_graph(500, 2500, num_features=6, num_classes=3, noise=0.1, seed=1)
    degree = torch.bincount(graph.edge_index[0], minlength=500).float()
    noise = torch.randn(500, generator=torch.Generator().manual_seed(0))
    graph.x = torch.cat([graph.x, noise[:, None], degree[:, None]], 1)
    return write_prepared(as_input(graph), tmp_path_factory.mktemp("a") / "prepared", partitions=4)


@pytest.mark.parametrize("asked", [{}, {"encoder.dim": 40, "neighbors.n_neighbors": 7, "merge.evidence": 0.5}])
@pytest.mark.filterwarnings("ignore:features. column 8 is the degree")
def test_settings_of_a_small_graph_are_those_in_memory(prepared: Prepared, asked: dict[str, Any]) -> None:
    found = resolve_run(prepared, asked, seed=3)
    data = prepared.whole()._replace(measured={})
    expected = resolve_config(data, "graph", {"encoder.name": "sign", **asked})
    assert flatten(found.config.to_dict()) == flatten(expected.to_dict())
    weight = heed_evidence(data, expected)[0].column_weight
    assert weight is not None
    assert found.column_weight is not None
    assert torch.equal(found.column_weight, weight)
    assert found.told["n_sample"] == 500


def test_a_sample_knows_the_column_that_is_the_degree(prepared: Prepared) -> None:
    with pytest.warns(UserWarning, match="column 8 is the degree"):
        found = resolve_run(prepared, seed=0, most=400)
    assert 0 < found.told["n_sample"] <= 400
    assert found.column_weight is not None
    assert found.column_weight[7] == 0
    assert found.config.sampling.negatives == "batch"
    assert "auto" not in (found.config.encoder.skip, found.config.merge.evidence, found.config.encoder.normalize)


@pytest.mark.filterwarnings("ignore:features. column 8 is the degree")
def test_other_encoders_of_rows_are_trained_in_batches(prepared: Prepared) -> None:
    found = resolve_run(prepared, arguments={"encoder.name": "mlp", "training.epochs": 3}, seed=0).config
    assert (found.encoder.name, found.sampling.negatives, found.views.drop_edges) == ("mlp", "batch", 0.0)
    assert (found.encoder.skip, found.training.epochs, found.training.tolerance) == (0, 3, 0.0)


@pytest.fixture(scope="module")
def settings(prepared: Prepared) -> RunSettings:
    """Settings with an array of each kind."""
    with pytest.warns(UserWarning, match="column 8 is the degree"):
        return resolve_run(prepared, {"encoder.dim": 40, "neighbors.pca": 3, "encoder.normalize": "pca"}, seed=5)


def test_settings_are_kept_to_the_bit(settings: RunSettings, tmp_path: Path) -> None:
    bare = settings._replace(column_weight=None, projection=None, statistics={})
    for found in (settings, bare):
        found.save(tmp_path)
        loaded = RunSettings.load(tmp_path)
        arrays = ("column_weight", "projection", "statistics")
        torch.testing.assert_close(
            *([getattr(each, name) for name in arrays] for each in (loaded, found)), rtol=0, atol=0
        )
        rest = [[value for name, value in each._asdict().items() if name not in arrays] for each in (loaded, found)]
        assert rest[0] == rest[1]
    assert settings.projection is not None
    assert settings.column_weight is not None
    assert "axes" in settings.statistics
    loaded.check_same(settings.asked, None, settings.prepared, tmp_path)


def test_a_resumed_run_has_to_be_the_same(settings: RunSettings, tmp_path: Path) -> None:
    asked, same = settings.asked, settings.prepared
    for other, seed, folder, named in (
        ({**asked, "encoder.dim": 41}, None, same, "set.encoder.dim is 40 there and 41 here"),
        (asked, 6, same, "seed is 5 there and 6 here"),
        (asked, 5, same + 1, "prepared is"),
    ):
        with pytest.raises(InputError, match=named):
            settings.check_same(other, seed, folder, tmp_path)


def test_prepared_folders_of_one_manifest_and_other_contents_are_told_apart(tmp_path: Path) -> None:
    graph = planted_graph(60, 150, num_features=4, num_classes=2, seed=0)
    first, same = (write_prepared(as_input(graph), tmp_path / name, partitions=3) for name in "ab")
    graph.x[41] += 1
    features = write_prepared(as_input(graph), tmp_path / "c", partitions=3)
    moved = planted_graph(60, 150, num_features=4, num_classes=2, seed=1).edge_index
    graph.x[41] -= 1
    graph.edge_index = moved
    edges = write_prepared(as_input(graph), tmp_path / "d", partitions=3)
    assert first.manifest == same.manifest == features.manifest
    assert checksum_of(first) == checksum_of(same)
    assert len({checksum_of(each) for each in (first, features, edges)}) == 3


def test_without_settings_nothing_is_continued(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no settings of a run"):
        RunSettings.load(tmp_path)
    (tmp_path / "settings.json").write_text('{"format": 1')
    with pytest.raises(InputError, match="found no settings of a run"):
        RunSettings.load(tmp_path)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"encoder.name": "gcn"}, "encoder of a prepared folder: found 'gcn'; expected one of sign, mlp, linear"),
        (
            {"neighbors.metric": "manhattan"},
            "metric of a prepared folder: found 'manhattan'; expected one of euclidean",
        ),
        ({"merge.how": "geodesic"}, "merge.how: found geodesic; expected mix or union"),
        ({"merge.column_weight": 0.5}, "merge.column_weight: found 0.5; expected 0"),
        ({"neighbors.hops": 1}, "neighbors.hops: found 1; expected 0"),
        ({"sampling.negatives": "shared"}, "sampling.negatives: found shared; expected batch"),
    ],
)
def test_what_needs_the_whole_graph_is_refused(asked: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError) as error:
        check_asked(asked)
    assert str(error.value).startswith(named)


def test_features_and_edges_are_needed(tmp_path: Path) -> None:
    graph = planted_graph(50, 100, num_features=4, num_classes=2, seed=0)
    vectors = write_prepared(as_input(graph.x), tmp_path / "vectors")
    with pytest.raises(InputError, match="the input has no edges"):
        resolve_run(vectors, seed=0)
    del graph.x
    with pytest.raises(InputError, match="a graph without features; expected features of the nodes"):
        resolve_run(write_prepared(as_input(graph), tmp_path / "bare"), seed=0)

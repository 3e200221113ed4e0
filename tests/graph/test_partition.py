"""Two real processes that share rows: of P, whose neighbours they draw, and of the search for neighbours."""

import json

import numpy as np
import pytest
import torch

from genurl_graph import GenURL
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.graph.knn import approximate, exact, knn
from genurl_graph.graph.partition import own_block
from genurl_graph.objectives.pair_sampling import NeighborDraws, RowEdges
from tests.runtime.test_processes import CONFIG, OPTIONS, run_two

N = 300


def similarities():
    """P with isolated nodes, the first and the last among them, and a node with a third of all edges."""
    generator = torch.Generator().manual_seed(0)
    p = torch.rand(N, N, generator=generator) * (torch.rand(N, N, generator=generator) < 0.01)
    p[40] = torch.rand(N, generator=generator)
    p = torch.maximum(p, p.T).fill_diagonal_(0)
    p[[0, 1, 150, N - 1]] = p[:, [0, 1, 150, N - 1]] = 0
    edges = p.nonzero().T
    return edges, p[edges[0], edges[1]]


def drawn_by(neighbors):
    torch.manual_seed(3)
    return [torch.stack([part.double() for part in neighbors.draw(torch.randperm(N)[:200])]) for _ in range(10)]


DRAWS = """
    from genurl_graph.objectives.pair_sampling import RowEdges, SharedDraws
    from genurl_graph.graph.partition import own_block
    from tests.graph.test_partition import N, drawn_by, similarities
    edges, p = similarities()
    with process_group("cpu"):
        block = own_block(N, edges[0])
        part = block.of(edges[0])
        made = [SharedDraws(RowEdges.of(edges[:, part], N), p[part], weight) for weight in (0.0, 1.5)]
        found = {f"draws{k}": torch.stack(drawn_by(one)) for k, one in enumerate(made)}
        keep({"mass": made[0].node_mass, "held": made[0].col.numel(), **found})
"""


def test_draws_are_those_of_one_process(tmp_path, one_thread):
    parts = run_two(DRAWS, tmp_path)
    edges, p = similarities()
    alone = [NeighborDraws(RowEdges.of(edges, N), p, weight) for weight in (0.0, 1.5)]
    expected = [torch.stack(drawn_by(one)) for one in alone]
    for part in parts:
        assert torch.equal(part["draws0"], expected[0])
        assert torch.equal(part["draws1"], expected[1])
        assert torch.equal(part["mass"], alone[0].node_mass)
        # No row is cut, not even the one that has a third of the edges.
        assert part["held"] == pytest.approx(len(p) / 2, rel=0.4)
    assert sum(part["held"] for part in parts) == len(p)
    # The comparison would see another draw: ends differ from step to step.
    assert not torch.equal(expected[0][0], expected[0][1])


def test_one_process_has_all_rows():
    edges, _ = similarities()
    assert own_block(N, edges[0]) == (0, N)
    assert own_block(N, edges[0]).of(edges[0]) == slice(0, edges.size(1))


def points(kind):
    """Rows whose neighbours are searched; of few words there are ties at most k-th neighbours."""
    rng = np.random.default_rng(0)
    if kind == "words":
        import scipy.sparse

        return scipy.sparse.csr_matrix((rng.random((500, 40)) < 0.06).astype(np.float32) * np.float32(0.1))
    x = rng.standard_normal((1500, 12)).astype(np.float32)
    x[700:720] = x[0]  # duplicates
    return x


CASES = {
    "exact": ("dense", {"metric": "euclidean"}),
    "cosine": ("dense", {"metric": "cosine"}),
    # Too little memory for prepared rows: norms are known of the blocks only that a process has met.
    "small": ("dense", {"metric": "cosine", "memory_mb": 0.2}),
    "ties": ("words", {"metric": "cosine"}),
    "approximate": ("dense", {"metric": "euclidean", "backend": "approximate", "seed": 2}),
}


def searched(together):
    """Neighbours of all cases, in tiles and slabs so small that both processes have some."""
    before = exact.LARGEST_TILE, approximate.SCANNED
    exact.LARGEST_TILE, approximate.SCANNED = 128, 300
    try:
        return {name: knn(points(kind), 8, together=together, **more) for name, (kind, more) in CASES.items()}
    finally:
        exact.LARGEST_TILE, approximate.SCANNED = before


SEARCH = """
    from genurl_graph.graph.knn import exact
    from tests.graph.test_partition import searched
    asked, rerank = [], exact.rerank
    exact.rerank = lambda *arguments: asked.append(len(arguments[2])) or rerank(*arguments)
    with process_group("cpu"):
        found = searched(together=True)
        shared = sum(asked)
        searched(together=False)
        parts = {name: (some.indices, some.distances, some.recall or 1.0) for name, some in found.items()}
        keep(parts | {"rows": (shared, sum(asked) - shared)})
"""


def test_neighbours_are_those_of_one_process(tmp_path, one_thread):
    expected = searched(together=False)
    assert expected["approximate"].recall < 0.99  # rounding and lists would show
    for found in run_two(SEARCH, tmp_path):
        for name, alone in expected.items():
            indices, distances, recall = found[name]
            assert torch.equal(indices, alone.indices), name
            # One process alone multiplies each pair once, and rounds the products of the second half otherwise.
            torch.testing.assert_close(distances, alone.distances, rtol=1e-5, atol=0)
            assert recall == (alone.recall or 1.0), name
        # Half of the rows; those of the samples, which all search, come on top.
        shared, whole = found["rows"]
        assert shared < 0.7 * whole


def test_a_process_that_is_gone_is_named(tmp_path):
    script = """
        import numpy as np
        import pytest
        from genurl_graph.exceptions import LostProcessError
        from genurl_graph.graph.knn import knn
        with process_group("cpu"):
            if rank() == 0:
                with pytest.raises(LostProcessError, match="search for neighbours: another process is gone"):
                    knn(np.random.default_rng(0).standard_normal((400, 5)), 3, together=True)
    """
    run_two(script, tmp_path)


KEPT = """
    import torch.distributed as dist
    from pathlib import Path
    from genurl_graph.config import load_preset
    from genurl_graph.inputs.input import as_input
    from genurl_graph.graph import knn_edges
    from genurl_graph.tasks.prepare import feature_similarities
    from genurl_graph.training.checkpoint import Checkpoint, KeptNeighbors
    from tests.graph.test_partition import points
    fixed = {"neighbors.metric": "euclidean", "similarity.perplexity": 15.0}
    data, config = as_input(points("dense")), load_preset("reduce").override(fixed)
    searches, knn = [], knn_edges.knn
    knn_edges.knn = lambda *arguments, **more: searches.append(1) or knn(*arguments, **more)

    def neighbors(path, resume):
        kept = KeptNeighbors(Checkpoint(Path(path), {}), resume)
        return feature_similarities(data, config, 0, torch.device("cpu"), kept=kept)[0]

    with process_group("cpu"):
        first = neighbors(f"{folder}/run", False)
        dist.barrier()
        again = neighbors(f"{folder}/run", True)
        assert len(searches) == 1
        # The second has no such file: both search.
        lost = neighbors(f"{folder}/run" if rank() == 0 else f"{folder}/nowhere", True)
        assert len(searches) == 2
        for found in (again, lost):
            assert torch.equal(found.indices, first.indices) and torch.equal(found.distances, first.distances)
"""


def test_the_first_process_keeps_what_all_have_found(tmp_path):
    run_two(KEPT, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run.neighbors"]


FIT = """
    from tests.graph.test_partition import planted
    with process_group("cpu"):
        model = GenURL(random_state=0, **options).fit(planted(options))
        held = model.model_.objective.neighbors.col.numel()
        result = {"z": model.embedding_, "losses": model.loss_history_, "held": held, "mass": model.mass_}
        result |= {"graph": tuple(model.graph_), "summary": json.dumps(model.graph_summary_)}
        keep(result)
"""


def planted(options):
    """A graph in which many nodes have no edge, or its features."""
    data = planted_graph(600, 500, 8, 4, noise=0.5, seed=0)
    return data.x if options.get("task") == "reduce" else data


BARLOW = {"loss.name": "barlow", "loss.projector": 16}


@pytest.mark.parametrize(
    "changes",
    [
        {"config": CONFIG | {"views.self_weight": 2.0}},
        {"config": CONFIG | {"views.self_weight": 0.0, "merge.feature_weight": 0.0, "merge.weighting": "given"}},
        {"config": CONFIG | {"merge.how": "geodesic", "neighbors.n_neighbors": 5}},
        {"config": CONFIG | {"loss.per": "global"}},
        {"config": CONFIG, "task": "reduce", "encoder": "mlp"},
        {"config": CONFIG | {"encoder.anchors": 0}, "task": "reduce", "encoder": "mlp", "n_components": 2},
        {"config": CONFIG | BARLOW, "task": "reduce", "encoder": "linear"},
    ],
    ids=["itself", "isolated", "geodesic", "global", "vectors", "map", "barlow"],
)
def test_two_processes_hold_half_of_p_each_and_train_what_one_does(changes, tmp_path, one_thread):
    options = OPTIONS | changes
    first, second = run_two(FIT, tmp_path, **options)
    assert torch.equal(first["z"], second["z"])
    assert first["losses"] == second["losses"]
    alone = GenURL(random_state=0, **options).fit(planted(options))
    np.testing.assert_allclose(first["losses"], alone.loss_history_, rtol=1e-4)
    scale = float(alone.embedding_.abs().max())
    torch.testing.assert_close(first["z"], alone.embedding_, rtol=0, atol=5e-3 * scale)

    edges = alone.graph_.edge_index.size(1)
    assert first["held"] == pytest.approx(edges / 2, rel=0.1)
    assert second["held"] == pytest.approx(edges / 2, rel=0.1)
    # The first, which writes results, has the whole graph beside its rows of P; the second its rows alone.
    for mine, theirs in zip(first["graph"], alone.graph_, strict=True):
        assert torch.equal(mine, theirs)
    rows = second["graph"][0].size(1)
    for mine, theirs in zip(second["graph"], alone.graph_, strict=True):
        assert torch.equal(mine, theirs[..., edges - rows :])
        assert mine.untyped_storage().nbytes() == mine.numel() * mine.element_size()
    assert json.loads(first["summary"]) == json.loads(second["summary"]) == alone.graph_summary_
    assert first["mass"] == second["mass"] == alone.mass_

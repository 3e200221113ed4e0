"""Neighbours that an interrupted run has found are not searched again."""

import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL


@pytest.mark.parametrize("task", ["graph", "reduce"])
def test_a_run_that_ended_after_the_search_does_not_search_again(tmp_path, monkeypatch, task):
    generator = torch.Generator().manual_seed(0)
    x, edges = torch.randn(60, 5, generator=generator), torch.randint(60, (2, 200), generator=generator)
    data = Data(x=x, edge_index=edges) if task == "graph" else x.numpy()

    def model(**options):
        return GenURL(n_components=2, epochs=3, config={"encoder.hidden": 16, "merge.evidence": "none"}, **options)

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    kept = {"checkpoint": tmp_path / "run.ckpt"}
    with monkeypatch.context() as patch:
        patch.setattr("genurl_graph.inference.fit.train", stop)
        with pytest.raises(KeyboardInterrupt):
            model(**kept).fit(data)
    assert [path.name for path in tmp_path.iterdir()] == ["run.ckpt.neighbors"]
    with monkeypatch.context() as patch:
        patch.setattr("genurl_graph.graph.knn_edges.knn", stop)
        # Without a seed, it goes on with that of the file.
        resumed = model(resume=True, **kept).fit(data)
        with pytest.raises(KeyboardInterrupt):
            model(**kept).fit(data)  # begins anew, and searches
    whole = model(random_state=resumed.seed_).fit(data)
    assert torch.equal(torch.as_tensor(resumed.embedding_), torch.as_tensor(whole.embedding_))

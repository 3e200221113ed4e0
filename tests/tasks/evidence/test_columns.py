"""Positions of graphs without features: as many as communities explain, and none where roles do."""

import pytest
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.datasets.role_graphs import planted_hierarchy, planted_levels, planted_roles


@pytest.mark.parametrize(
    ("graph", "least", "most"),
    [(planted_hierarchy, 12, 24), (planted_roles, 0, 0), (planted_levels, 0, 0)],
)
def test_communities_get_positions_and_roles_get_none(graph: object, least: int, most: int) -> None:
    data = graph(seed=0)
    bare = Data(edge_index=data.edge_index, num_nodes=data.num_nodes)
    found = GenURL().resolve(bare).encoder
    assert least <= found.structure_columns <= most
    assert found.skip > 0
    # The same for every seed, and none beside one-hot rows that were asked for.
    assert GenURL(random_state=1).resolve(bare).encoder.structure_columns == found.structure_columns
    assert GenURL(config={"encoder.structure": "identity"}).resolve(bare).encoder.structure_columns == 0

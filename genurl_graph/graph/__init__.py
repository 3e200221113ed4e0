"""Graphs: from features and predefined edges to the merged graph and its similarities P.

In the order of the pipeline:

* `knn`, `knn_edges`, `projection`: nearest neighbours, the space they are searched in, kNN edges;
* `edge_reliability`, `sources`: both edge sources, weighted by how well features predict the predefined edges;
* `affinity`: distances to calibrated similarities; `bipartite`: similarities of nodes and feature columns;
* `edge_lists`, `merge`: one graph of both sources;
* `propagation`, `neighbor_sampler`, `partition`: what a GNN multiplies by, whole, by neighbourhood, by process;
* `line_graph`: edges as nodes, neighbours where they meet;
* `descriptors`: rows of whole graphs that need no training;
* `structural_features`: input for nodes without features; `transforms`: the stages as PyG transforms.

`genurl_graph` itself exports the public names: `knn`, `knn_graph`, `similarities`, `merge_graphs`, `FeatureKNN` and
`MergeFeatureEdges`.
"""

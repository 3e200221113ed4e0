"""Edges to similarities: kNN edges, merging, edge reliability, affinities and propagation."""

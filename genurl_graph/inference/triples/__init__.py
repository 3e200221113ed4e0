"""Models of typed edges: what is kept of the triples, and what they are asked for."""

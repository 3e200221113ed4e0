"""Training steps on collections of graphs."""

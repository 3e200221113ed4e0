"""P of typed edges: of each relation and its inverse, and of near features by modality."""

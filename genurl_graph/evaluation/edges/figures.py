"""Names of the protocol edges: figures, rows without training, and what is said of them."""

PROTOCOL = "edges"
BLOCKS = 20
# Of the split that came with the edges, or a random one; and of blocks of space.
GIVEN = {"micro": "micro F1", "macro": "macro F1"}
SPACE = {f"blocks_{score}": f"{title}, blocks" for score, title in GIVEN.items()}
FIGURES = {**GIVEN, **SPACE}
FIRST_SPLITS = {"given": "the given split", "random": "random splits"}
# Rows that are told labels of neighbours, and no embeddings.
LABEL_READERS = ("majority", "label-propagation")
# Embeddings that no seed changes.
FIXED = ("propagated", "raw")
REFERENCES = {
    "propagated": "attributes, means over 1 and 2 steps, degree",
    "raw": "raw attributes",
    "label-propagation": "label propagation, reads labels of neighbours",
    "majority": "most frequent class",
}

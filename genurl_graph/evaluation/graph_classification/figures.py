"""Names of the protocol graphs: figures, rows without training, and what is said of them."""

FIGURES = {"rbf": "RBF SVM", "linear": "linear SVM", "few": "10 % of the labels"}
REFERENCES = {
    "histogram": "kinds, degrees, size",
    "wl": "Weisfeiler-Lehman kernel",
    "untrained": "GIN, untrained",
    "concat": "all three side by side",
}
# Rows that no seed changes, and those that are kernels [G, G] instead of embeddings.
FIXED, KERNEL_ROWS = ("histogram", "wl"), ("wl", "concat")

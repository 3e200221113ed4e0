"""What a Python user has: graphs of other libraries, matrices, DataFrames, lists; each becomes a ``Data``."""

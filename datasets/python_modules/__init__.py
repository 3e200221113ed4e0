"""The modules of Python's standard library as a graph: who imports whom, read from the running Python's sources."""

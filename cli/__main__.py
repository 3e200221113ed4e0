"""``python -m genurl_graph.cli``."""

from genurl_graph.cli import main

main(prog_name="genurl-graph")

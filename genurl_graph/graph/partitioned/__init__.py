"""Stages of the graph for data in partitions."""

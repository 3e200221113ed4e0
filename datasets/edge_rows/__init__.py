"""Data sets whose edges are rows, and figures of such."""

"""Experiments on typed edges."""

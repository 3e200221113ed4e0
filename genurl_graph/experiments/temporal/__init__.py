"""Experiments on events with a time."""

"""Embeddings of prepared folders: fitted, transformed and written partition by partition."""

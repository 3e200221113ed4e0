"""Networks from nodes to embedding."""

"""Text tables: which lines are rows, what stands between their cells, and what the cells are."""

"""Static scatter plots and the interactive explorer."""

"""A fitted model: new samples, saved and loaded."""

"""One training step each: draw pairs, embed, compute the loss."""

"""What a page of the explorer is made of: the run of an embedding, a user's own columns, nodes that move."""

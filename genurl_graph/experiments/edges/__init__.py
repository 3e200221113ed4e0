"""Tables of the protocol edges."""

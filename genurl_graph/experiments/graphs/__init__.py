"""Tables of whole graphs: methods compared by the protocol `graphs`."""

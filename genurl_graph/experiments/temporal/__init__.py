"""Tables of methods on dynamic graphs."""

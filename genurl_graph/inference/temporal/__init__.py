"""Models of events: what is kept of the past, and the windows that follow."""

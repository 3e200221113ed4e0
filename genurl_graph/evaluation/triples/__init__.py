"""The protocol `triples`: which entity stands at the other end of a typed edge, ranked among all entities."""

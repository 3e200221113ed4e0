"""Whatever a user hands in becomes one `Input`."""

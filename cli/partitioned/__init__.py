"""Commands on prepared folders: the parts of embed, transform, evaluate and inspect that work by partitions."""

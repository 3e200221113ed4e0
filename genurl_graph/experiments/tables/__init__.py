"""What the tables of many runs share: the data they are about, and how it is judged."""

"""Tables of a user, from a file or a DataFrame: which column is what, and what becomes of it."""

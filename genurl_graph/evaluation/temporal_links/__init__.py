"""Protocol `temporal-links`: which pairs of nodes will have an event in the next window of time?"""

"""The graph task on a prepared folder: the same rules as in memory, stage by stage over partitions."""

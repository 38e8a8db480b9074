"""Computes the size of a fleet (workers, partitions, nodes) from the cost of a record."""

"""*Fleet*: the page of processes, partitions and dead letters."""

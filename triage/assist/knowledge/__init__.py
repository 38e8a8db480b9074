"""Knowledge base from files: reads, checks and splits them into passages, and applies changes to the index."""

"""The worker: from raw messages to enriched records, window counts and dead letters, one transaction per batch."""

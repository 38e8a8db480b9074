"""Changes against the period before, on *Now* and *Explore*."""

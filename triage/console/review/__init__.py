"""*Review*: the page to correct low-confidence labels."""

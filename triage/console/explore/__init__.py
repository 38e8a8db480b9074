"""*Explore*: the page to search records and compare periods."""

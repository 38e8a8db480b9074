"""*Record*: the page of one record."""

"""*Now*: the page with current numbers, alerts and the latest records."""

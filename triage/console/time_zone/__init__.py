"""*Time zone*: the page to choose the zone of all times."""

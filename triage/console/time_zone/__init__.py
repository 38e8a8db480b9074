"""*Time zone*: the page to choose the zone in which all times are shown."""

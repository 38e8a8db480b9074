"""*Time zone*: the page to choose the time zone in which all times are shown."""

"""*Alerts*: the list of alerts, and the page of one alert."""

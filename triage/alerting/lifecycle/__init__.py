"""Life of an alert: episodes, pages that group them, inhibition, silences, and the document that is stored. Pure."""

"""Layout, language, login and HTML parts that all pages share."""

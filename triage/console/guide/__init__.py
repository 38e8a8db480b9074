"""*Guide*: recommends items of the catalogue to people who advise customers."""

"""The market: brands and products with all their names, and statistics of records about each."""

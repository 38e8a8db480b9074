"""The market: brands and products by their names, and what the stream says about each."""

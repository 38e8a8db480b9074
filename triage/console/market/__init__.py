"""*Market*: brands and products, own and competitors."""

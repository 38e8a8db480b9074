"""Dead letters: building, reading and replaying them."""

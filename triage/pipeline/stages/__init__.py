"""The stages of the worker, and what guards and reloads them."""

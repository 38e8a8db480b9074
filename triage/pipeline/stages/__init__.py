"""The stages of the worker (decode, enrich, index), and those that guard them and reload model and rules."""

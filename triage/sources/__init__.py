"""Reads rows from files and sends them to the raw topics."""

"""Erases all records of an author, and prevents workers and replays from processing them again."""

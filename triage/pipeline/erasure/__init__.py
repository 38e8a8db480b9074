"""Erases all records of an author, and keeps workers and replays from processing them again."""

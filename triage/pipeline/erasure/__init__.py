"""Erases what an author wrote, and keeps it erased."""

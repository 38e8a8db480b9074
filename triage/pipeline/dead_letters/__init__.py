"""Builds, reads and replays dead letters: messages about records that could not be processed."""

"""Shared parts of long-running processes: health, watchdog, shutdown, memory."""

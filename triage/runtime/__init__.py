"""Parts of every long-running process: health, watchdog, shutdown, memory, backoff."""

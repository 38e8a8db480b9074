"""What every process with a web interface shares: who asks, how often, health, and running the server."""

"""Authentication, limits, health endpoints and the HTTP server of the API and the console."""

"""Types of the records on topics and in indices, with their validation."""

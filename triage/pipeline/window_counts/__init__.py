"""Window counts and watermarks, from which the alerter works."""

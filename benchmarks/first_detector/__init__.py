"""The spike detector before rules had budgets, as it was: a baseline for the benchmark. It is not developed further."""

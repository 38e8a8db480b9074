"""*Rules*: the list of alert rules with their budgets, and the page of one rule."""

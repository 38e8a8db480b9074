"""Risk scores: estimated probabilities of outcomes that the operator defined, by models fitted on their own records."""

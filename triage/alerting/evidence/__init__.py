"""Evidence of an alert from the index: example texts, and intents, entities and words that stand out."""

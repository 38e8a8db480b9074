"""The page *Conversations*: who waits for a person, the thread, and the next steps."""

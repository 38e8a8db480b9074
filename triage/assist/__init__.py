"""Evidence for the person who must answer: passages of the owner's knowledge, resolved cases, and answers from both."""

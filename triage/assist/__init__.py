"""Evidence for answering customers: passages of the knowledge base, resolved cases, and answers from both."""

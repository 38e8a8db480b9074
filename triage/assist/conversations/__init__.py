"""Conversations with customers: state, turns, the bot and the hand-off to a person; see docs/conversations.md."""

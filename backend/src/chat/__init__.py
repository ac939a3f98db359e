"""The assistant: conversations, tools, confirmations."""

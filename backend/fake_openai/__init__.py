"""A server that speaks the OpenAI wire."""

"""A server that speaks the wire of OpenAI's streamed chat completions and misbehaves on demand.

`python -m fake_openai [--host 127.0.0.1] [--port 9000]`, then OPENAI_BASE_URL=http://127.0.0.1:9000/v1 and any
OPENAI_API_KEY. `docker build --target fake-openai` makes an image of it, for a cluster. A user's message that begins
with `fake:NAME` plays the scenario of that name (see scenarios.py).
"""

"""`python -m fake_openai`."""

import argparse

import uvicorn

from fake_openai.server import create_app

parser = argparse.ArgumentParser(prog="python -m fake_openai")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=9000)
arguments = parser.parse_args()
uvicorn.run(create_app(), host=arguments.host, port=arguments.port)

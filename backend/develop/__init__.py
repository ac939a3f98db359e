"""Serves the API while it is worked on, in the image's stage `dev`: `python -m develop`.

A supervisor that has the libraries loaded forks a process for every change of the code. It takes over once it is ready;
the one before finishes its requests. Changes come from the target `dev`, as messages on a socket (see `supervisor`).
"""

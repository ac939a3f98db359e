"""Tasks: the to-do list itself."""

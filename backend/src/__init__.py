"""The Todo application's backend."""

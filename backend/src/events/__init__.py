"""Events: what changes of a user's, told to every open window."""

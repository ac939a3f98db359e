"""Everything that a user has, taken out and put back."""

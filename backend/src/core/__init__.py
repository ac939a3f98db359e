"""What every feature shares: settings, logs, errors, database, middleware."""

"""Edge nodes as the gateway sees them: their credentials, what was received from each, how each stands."""

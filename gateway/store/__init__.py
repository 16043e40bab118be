"""The durable store: journal, alarm state, register, response, outbox, users."""

"""OPC UA: subscriptions to one server, read-only."""

"""Emergency response: what must be done when a unit's tier rises. So far: tasks."""

"""Duties: what must be done by a time, and who is told, in which step, while it is not done."""

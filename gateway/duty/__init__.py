"""Duties in the store: fed from records and alarms, watched, told."""

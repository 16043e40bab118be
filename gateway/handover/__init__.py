"""Handover: what one shift leaves to the next, signed by both; and call checks."""

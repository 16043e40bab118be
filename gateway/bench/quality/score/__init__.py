"""Scorers: the only part that opens labels, one module a published rule."""

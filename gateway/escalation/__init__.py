"""Escalation: ladders and calls in the store, and the caller that takes the steps that fall due."""

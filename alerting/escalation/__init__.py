"""Escalation: who is called about an alarm that nobody answers, and who next."""

"""Roster: who is on duty, when and at which post."""

"""Roster: watches and contacts in the store, tables of them in and out, the calendar of the country."""

"""Judging and answering: limits, alarms, the hazard register, response, notices."""

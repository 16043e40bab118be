"""The hazard register: ledgers of hazard units. So far: episodes."""

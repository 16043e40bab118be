"""The hazard register's ledgers in the store: records, their history, search, lists in and out."""

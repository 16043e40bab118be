"""What hearing a broker costs, beside plainer ways."""

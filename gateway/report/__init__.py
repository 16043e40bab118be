"""Reports of a month or a quarter, put together from the register and the alarms."""

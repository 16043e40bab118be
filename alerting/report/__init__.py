"""Reports: which period is reported when."""

"""Plants made of code, their devices, and a regulator that keeps what it received."""

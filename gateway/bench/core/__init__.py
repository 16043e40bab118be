"""What the core costs, beside what simpler ways to compare a value with its limits cost: ``fengsui bench core``."""

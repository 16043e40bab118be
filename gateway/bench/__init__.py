"""What the product measures of itself: ``fengsui bench``."""

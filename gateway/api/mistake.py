"""A mistake of the configuration as the page shows it, in both languages."""

from gateway.load.chinese import both_languages as mistake_shown

__all__ = ["mistake_shown"]

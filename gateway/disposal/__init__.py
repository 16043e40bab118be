"""Disposals: what was found and done about an alarm, with photos, and telling authorities of it."""

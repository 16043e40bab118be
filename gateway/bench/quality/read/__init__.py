"""Readers of the collections: recordings without their labels, one module a collection."""

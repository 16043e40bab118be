"""Codecs of payloads: a folder each, with its description, a sample and its cases.

Each gives a ``Batch`` or a ``Refusal`` and never raises for what a device sent.
"""

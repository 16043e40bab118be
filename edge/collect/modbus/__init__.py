"""Modbus TCP: plan the reads once, then only execute them. Read-only by construction."""

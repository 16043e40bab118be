"""The historian: what every tag measured, kept for the legal time and longer.

Flow: intake -> [append] -> one durable commit a flush -> chunks -> rollups; and from there to charts and InfluxDB
Never: in the way of the safety path.
"""

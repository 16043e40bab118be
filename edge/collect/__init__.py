"""Collectors: the parts that fetch from one device or broker. One folder a protocol, strangers to one another.

Flow: device or broker -> [collect] -> decode -> Scan -> intake
"""

"""Delivery: what each source was expected to give in each hour, what came, and how late.

Flow: samples that entered a lane -> books (in memory, a minute) -> store -> API, page, export
"""

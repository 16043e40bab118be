"""Backtest: a site's rules on recorded data, with figures, advice and a report.

Flow: recording -> [carry] -> trips and events -> score, advice -> JSON, report
Why: who cannot try a rule on the past tries it on the operators.
Never: changes a site; advice is data with a reason, and a person applies it.
"""

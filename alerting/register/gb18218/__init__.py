"""GB 18218-2018: which hazard units are major hazard sources, and of which grade.

Flow: holdings of a unit -> [S: is it one] -> [R with alpha and beta: which grade] -> worksheet
"""

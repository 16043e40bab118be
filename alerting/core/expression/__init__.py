"""Expressions over tags: a small typed language, compiled to array operations over rules of the same shape.

Flow: text -> [read] -> Expression -> [compile_programs] -> Program -> [run] -> truth -> delays of the rule
Why: people ask for "level high *and* inflow, for 10 s"; a formula that is data can be checked, drawn and explained.
Never: evaluates text as code.
"""

from alerting.core.expression.check import Expression, read
from alerting.core.expression.fault import ExpressionError, Fault
from alerting.core.expression.program import Program, Unknown, compile_programs
from alerting.core.expression.run import Inputs, State, Verdict, next_due, run

__all__ = [
    "Expression",
    "ExpressionError",
    "Fault",
    "Inputs",
    "Program",
    "State",
    "Unknown",
    "Verdict",
    "compile_programs",
    "next_due",
    "read",
    "run",
]

"""Unified social credit code (统一社会信用代码): its form and its check sign.

Source: GB 32100-2015, 4.2 and annex A: 18 signs of 31 (digits and capitals without I, O, S, V, Z); the last is
    31 - (sum of sign value * 3^place mod 31) mod 31, places from 0.
"""

from typing import Final

SIGNS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH: Final = 18


def check_sign(first: str) -> str:
    """Give the check sign of the first 17 signs.

    Raises:
        ValueError: A sign is none of the 31.
    """
    total = sum(SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(first))
    return SIGNS[-total % 31]


def is_credit_code(text: str) -> bool:
    """Tell whether a text is a code whose check sign is right."""
    return len(text) == LENGTH and all(sign in SIGNS for sign in text) and check_sign(text[:-1]) == text[-1]

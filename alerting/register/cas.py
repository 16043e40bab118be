"""CAS registry number: its form and its check digit.

Source: Chemical Abstracts Service, "Check Digit Verification of CAS Registry Numbers": the last digit is the sum of the
    other digits, each times its place from the right counted from 1, modulo 10.
"""

import re
from typing import Final

FORM: Final = re.compile(r"^([0-9]{2,7})-([0-9]{2})-([0-9])$")


def check_digit(first: str, second: str) -> int:
    """Give the check digit of the two groups before it.

    >>> check_digit("7782", "50")
    5
    """
    digits = reversed(first + second)
    return sum(place * int(digit) for place, digit in enumerate(digits, start=1)) % 10


def is_cas(text: str) -> bool:
    """Tell whether a text is a CAS number whose check digit is right.

    >>> is_cas("7664-41-7"), is_cas("7664-41-8")
    (True, False)
    """
    found = FORM.match(text)
    return found is not None and check_digit(found[1], found[2]) == int(found[3])

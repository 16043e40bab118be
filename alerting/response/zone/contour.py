"""Contour: from concentrations along the wind to the outline of each level, in metres around the source.

Why: no library of geometry is needed to draw what is symmetric to the wind; places on the earth are the caller's.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerting.response.zone.disperse import Floats

POINTS: Final = 24
CIRCLE: Final = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A closed line around a level, east and north of the source, m; the first point is repeated at its end."""

    east_m: Floats
    north_m: Floats


def endpoint_m(along_m: Floats, fraction: Floats, level: float) -> Floats:
    """Give the farthest place at which a level is reached, m, per case; NaN where it never is, inf where to the end.

    Between two places by the logarithms of both.

    Args:
        along_m: Rising, of shape (places,).
        fraction: Of shape (cases, places).
    """
    is_above = fraction >= level
    last = fraction.shape[1] - 1 - np.argmax(is_above[:, ::-1], axis=1)
    following = np.minimum(last + 1, fraction.shape[1] - 1)
    rows = np.arange(len(fraction))
    upper, lower = (
        np.log(np.maximum(fraction[rows, last], 1e-300)),
        np.log(np.maximum(fraction[rows, following], 1e-300)),
    )
    fall = np.where(upper > lower, upper - lower, 1.0)
    part = (upper - np.log(level)) / fall
    found = np.exp(np.log(along_m[last]) + part * (np.log(along_m[following]) - np.log(along_m[last])))
    found = np.where(last == fraction.shape[1] - 1, np.inf, found)
    return np.where(is_above.any(axis=1), found, np.nan)


def gaussian_half_width_m(sigma_y_m: Floats, fraction: Floats, level: float) -> Floats:
    """Give how far to the side a level is reached: ``σy·sqrt(2·ln(C/level))``, 0 where the middle is below it."""
    return np.asarray(sigma_y_m * np.sqrt(2 * np.log(np.maximum(fraction / level, 1.0))))


def outline(along_m: Floats, half_width_m: Floats, upwind_m: float, from_deg: float | None) -> Outline:
    """Give the line around a zone; a circle of its farthest reach where the direction is not known.

    Args:
        along_m, half_width_m: Rising, up to the endpoint, of shape (places,).
        upwind_m: How far it reaches against the wind.
        from_deg: Where the wind comes from, 0 north, 90 east.
    """
    if from_deg is None:
        reach = float(np.hypot(along_m, half_width_m).max())
        turn = np.linspace(0, 2 * np.pi, CIRCLE + 1)
        return Outline(east_m=reach * np.sin(turn), north_m=reach * np.cos(turn))
    along = np.concatenate([[-upwind_m], along_m, along_m[::-1], [-upwind_m]])
    across = np.concatenate([[0.0], half_width_m, -half_width_m[::-1], [0.0]])
    to = np.radians(from_deg + 180)
    return Outline(east_m=along * np.sin(to) + across * np.cos(to), north_m=along * np.cos(to) - across * np.sin(to))

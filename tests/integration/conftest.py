"""What tests of the API in this process share."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from gateway import auth


@pytest.fixture(scope="module", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash passwords at the least cost: hundreds of people are hired here. The true cost is tested beside ``auth``."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "_HASHER", cheap)
        patch.setattr(auth, "_NOBODY", cheap.hash("nobody"))
        yield

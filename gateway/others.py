"""Others: looks every ten seconds whether another process wrote into the store, as imports from the command line do.

Flow: time -> [look] -> changes, which wake whoever looks after the store beside the road
"""

from gateway.means import Means, look_on
from gateway.store.changes import AGAIN_S
from gateway.store.store import Store


class Others:
    """Looks for what others wrote."""

    def __init__(self, means: Means, store: Store) -> None:
        self._means, self._store = means, store

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "others", self._store.look_for_others, lambda _: AGAIN_S)

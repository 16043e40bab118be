"""The HTTP and WebSocket doors of the gateway (design §5, HTTP).

Flow: live picture, store, historian -> [routes] -> page, scripts, authorities
Never: judges, writes the store but through ``House.write``, waits on the event loop for a disk.
"""

from gateway.api.app import make_app
from gateway.api.house import Act, House, SourceStatus
from gateway.api.server import serve

__all__ = ["Act", "House", "SourceStatus", "make_app", "serve"]

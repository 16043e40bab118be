"""The gateway: the road, the store, the historian, the API and the composition root."""

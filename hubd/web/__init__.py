"""The phone API of a hub, over HTTP and WebSocket."""

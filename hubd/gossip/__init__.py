"""Gossip between hubs: sans-IO machines, and the drivers that give them sockets."""

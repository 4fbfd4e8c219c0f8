"""The native reference phone: the values, rules and machines of a hub with a small store of its own."""

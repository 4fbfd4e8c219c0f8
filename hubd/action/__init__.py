"""Values: what an action is. `envelope.parse` is the only door from bytes to an `Action`."""

"""The relay: from actions to transactions, and from their results back to receipts."""

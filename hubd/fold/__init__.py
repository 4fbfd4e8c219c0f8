"""Rules: pure functions from the set of actions to views. No clock, no chance, no input or output."""

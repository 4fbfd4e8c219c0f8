"""The demo: a small mesh of real processes on one machine, and a story from two phones to the chain and back.

The end-to-end tests are made of the same parts, so what the demo shows is what the tests hold.
"""

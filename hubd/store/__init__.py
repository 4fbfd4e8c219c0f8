"""The store: SQLite behind the ports of `hubd/ports.py`."""

"""Programs of others that do work like ours, on the same work in the same run: installed when asked for, part of no hub."""

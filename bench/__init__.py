"""Measurements: what the hub costs, each figure beside a raw limit or a peer measured in the same run."""

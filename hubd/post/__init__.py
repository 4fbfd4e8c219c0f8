"""Post: the set in sealed bundles, carried between hubs by sticks and by people's phones (docs/post.md)."""

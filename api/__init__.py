"""The front end: validates, limits, puts patterns on the queue and awaits the answers. No torch, no numpy."""

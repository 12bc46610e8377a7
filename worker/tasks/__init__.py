"""Thin tasks: decode, call a plain function, encode. One file a queue."""

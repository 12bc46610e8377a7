"""The routes. Each file makes one router, bound to what it needs; none has state of its own."""

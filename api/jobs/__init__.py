"""Bulk jobs in the front end: reading a body of any length, storing it whole or not at all, handing out results."""

"""Bulk jobs on the worker's side: the ledger, a chunk's rows, their scores, and the sweep."""

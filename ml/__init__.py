"""The model: features, evidence, networks, explanation. Knows no Redis, no Celery and no HTTP."""

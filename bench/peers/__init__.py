"""One small server for each tool: the same scorer, the same requests, well tuned, and nothing else."""

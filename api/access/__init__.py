"""Who may ask what, and how often. Each check is one file, off by default, and one setting away."""

"""The chain's door: questions of off-chain workers, answered with signed integers. `docs/chain.md` is its guide."""

"""ibpc: a compiler for provably robust neural networks."""

__version__ = "0.1.0"

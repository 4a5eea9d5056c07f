"""PyTorch in an interpreter of its own: the process, and what the two say to each other."""

"""How fast the converted model is, and how fast it is made: measured in turns, so that a busy machine slows all alike.

What measures runs in processes of its own, and this side of it imports no framework: a child of a large process would
be charged its parent's memory.
"""

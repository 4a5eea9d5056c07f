"""Each piece of a converted model alone, held against the same piece in float64.

End to end, a fault is seen only where the inputs reach it, and rounding is told from it by experience. A piece alone
can be given any values, and has a bound: what float32 is off by in whatever order it adds.
"""

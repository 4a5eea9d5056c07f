"""How good is the verification as a detector? Correct models that must pass, and planted faults that must not."""

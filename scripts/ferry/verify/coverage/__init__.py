"""What the inputs of a verification reach of the model: what they do not reach, only the probes of the pieces test."""

"""Where did it break? The first tensor at which a stage's model differs from the model it was built from.

Comparing two networks tensor by tensor from their common input shows where an error is large, not where it arose: each
operator passes on, and may amplify, what it was given. Here every piece of the later model, from the nearest tensors
that both have up to the next, is given the earlier model's own values, so that what differs was done by that piece.
"""

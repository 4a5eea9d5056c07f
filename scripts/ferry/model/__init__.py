"""The user's model: its file, its weights, and the tensors that go in and come out."""

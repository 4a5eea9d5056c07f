"""What runs in the interpreter of today's PyTorch: Python 3.8 and newer, with torch and NumPy and no more."""

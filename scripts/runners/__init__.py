"""Where a stage runs: in a container or in a virtual environment. Plain Python 3.7 or newer, with no package at all."""

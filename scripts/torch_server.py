#!/usr/bin/env python3
"""Hold a model open in another interpreter's PyTorch, for a stage that asks over a pipe; no user starts it."""

import sys

from ferry.torch_server import serve

if __name__ == "__main__":
    sys.exit(serve.main())

"""Choose a runner, run a program in it, and keep the lock files. Called by the Makefile."""

import os
import sys

# This must parse and answer on any Python there is; what it imports need not.
if sys.version_info < (3, 7):
    sys.exit("ferry: make needs Python 3.7 or newer as python3; this is %s" % sys.version.split()[0])

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

try:
    if sys.argv[1:2] == ["plan"]:
        # Every make waits for it, so it imports what it needs alone.
        from runners import plan

        sys.exit(plan.main(sys.argv[2:]))
    from runners import command_line

    sys.exit(command_line.main(sys.argv[1:]))
except KeyboardInterrupt:
    # Interrupted before anything was begun, there is nothing to say or to clean up.
    sys.exit(130)

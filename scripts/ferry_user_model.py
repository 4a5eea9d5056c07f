"""The user's model file, as a process that it has spawned imports it: by the name of the module that it is."""

import importlib.util
import os
import sys

from ferry.model.user_code import FILE_VARIABLE

_spec = importlib.util.spec_from_file_location(__name__, os.environ[FILE_VARIABLE])
assert _spec is not None and _spec.loader is not None
sys.modules[__name__] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[__name__])

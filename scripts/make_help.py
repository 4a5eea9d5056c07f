"""Print the targets of a Makefile with what its ``##`` comments say of them, and the variables a user sets."""

import re
import sys
import textwrap

from runners import variables

TARGET = re.compile(r"^([a-z][\w-]*):.*?## (.+)$", re.MULTILINE)
# How wide a line may be, and where what is said of a variable begins.
WIDTH, COLUMN = 120, 24


def main() -> None:
    """Print the help for the Makefile named on the command line."""
    with open(sys.argv[1], encoding="utf-8") as makefile:
        text = makefile.read()
    print("Ferry converts a PyTorch model to TensorFlow Lite, and checks it at every stage.\n")
    targets = TARGET.findall(text)
    width = max(len(name) for name, _ in targets)
    for name, meaning in targets:
        print(f"  make {name:<{width}}  {meaning}")
    print()
    for variable in variables.TABLE:
        print(_described(f"{variable.name}={variable.default}", variable.meaning))
    names = ", ".join(variable.name for variable in variables.TABLE if variable.from_environment)
    print("\n" + textwrap.fill(f"These may be environment variables too: {names}.", WIDTH, initial_indent="  "))


def _described(given: str, meaning: str) -> str:
    first = f"  {given:<{COLUMN - 3}} "
    return textwrap.fill(meaning, WIDTH, initial_indent=first, subsequent_indent=" " * COLUMN)


if __name__ == "__main__":
    main()

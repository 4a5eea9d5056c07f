"""How files are damaged, and the stages that they are given to."""

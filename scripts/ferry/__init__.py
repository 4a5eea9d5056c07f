"""What the stages share. A stage is a program beside this package; no stage imports another."""

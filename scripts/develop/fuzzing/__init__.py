"""What damaged files are made of, and the stages that they are given to."""

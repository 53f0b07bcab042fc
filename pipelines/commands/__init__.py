"""The commands of `ser-batch`: one file a group; heavy imports inside the functions."""

"""Files that are read by path or address: of this machine, and objects of a store."""

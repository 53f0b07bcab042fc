"""One recording from samples to rows of the lake, in a pool of worker processes."""

"""Named feature sets: acoustic descriptors and speech encoders, arrays in and arrays out."""

"""The steps of a night, one file each, and the shard that they share."""

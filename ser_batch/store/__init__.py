"""Where bytes lie: paths below the root, Parquet parts, the lock, atomic writes, permissions."""

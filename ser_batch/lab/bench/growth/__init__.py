"""What a night costs by how much was recorded before: on simulated lakes, without audio."""

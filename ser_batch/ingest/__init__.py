"""What comes in: audio files found, metadata as it arrived, and the calls that the two make."""

"""Samples in, samples and measures out: decoding, voice activity, segments, denoising."""

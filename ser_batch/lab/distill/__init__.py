"""Distillation: a small encoder trained to reproduce the states of a large one."""

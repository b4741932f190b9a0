"""Callbacks that fill TensorBoard's tabs."""

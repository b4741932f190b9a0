"""LightningModules: wiring and logging only; the computing is in `distilkobert`."""

"""torchmetrics classes over pure scoring functions."""

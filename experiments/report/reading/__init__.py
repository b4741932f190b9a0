"""Read what runs have left: metrics, curves, predictions, latency."""

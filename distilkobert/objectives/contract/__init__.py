"""What objectives and networks agree on: layers, needs, outputs, and weights over training."""

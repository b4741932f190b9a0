"""Where a training is, and Lightning's counters for going on from there."""

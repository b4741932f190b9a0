"""The loggers of a run: always TensorBoard, and any others. The command line makes them; nothing is exported."""

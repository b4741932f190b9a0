"""The loggers of a run: TensorBoard always, others beside it. They are made by the command line, so none is offered."""

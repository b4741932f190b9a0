"""Parts of the trainer's command line: settings that are filled in, loggers, help, what is said at the end."""

"""From a study file to a checked plan of runs; nothing is started."""

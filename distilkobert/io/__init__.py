"""Files: atomic writes, compressed text, downloads, and the files of a run folder."""

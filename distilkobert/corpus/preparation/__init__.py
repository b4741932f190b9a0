"""From text files to the folder of a corpus: encoded in shards, by one job or by many, and joined."""

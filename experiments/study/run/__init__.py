"""Run a plan: workers, the journal, locks, and what is left to do after a restart."""

"""The audit: what was changed, by whom, and what deserves a look."""

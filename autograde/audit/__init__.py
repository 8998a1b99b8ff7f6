"""What auditors work with: the trail of every change, the seals that prove it, and what is read from both."""

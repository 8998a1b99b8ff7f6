"""What is taught and how it is played: the learner's zone, installable without any key."""

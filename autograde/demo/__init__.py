"""A simulated cohort that learns, hands in and is graded, on the real parts."""

"""How answers are judged: the grading zone, which holds the keys."""

"""Networks: teachers, students, vocabulary heads, checkpoints, and the checks that they fit together."""

"""Counselling texts to learn from: form, importers of public corpora, cleaning, chains for answers without one."""

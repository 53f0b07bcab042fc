"""Ways to classify emotions in one table: the shipped recipe and the field's, unseen speakers."""

"""What is in labelled corpora, before a model learns from them."""

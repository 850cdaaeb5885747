"""How well and how fast a model is fine-tuned."""

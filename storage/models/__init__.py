"""The registry of models, their files, and the bots that answer with them."""

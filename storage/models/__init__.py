"""The registry of models, the artifact store, and the bot instances that serve a model."""

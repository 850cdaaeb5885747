"""Published models and the engine that answers with them."""

"""BERT in Keras: configuration, layers and weights."""

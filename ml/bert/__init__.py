"""BERT in Keras: its configuration, its layers and its weights."""

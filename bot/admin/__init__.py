"""Admin commands for training runs, promotions and models."""

"""Admin commands: training runs, promotion and models."""

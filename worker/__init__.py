"""The worker process: fine-tunes, measures and publishes models; it never talks to Telegram."""

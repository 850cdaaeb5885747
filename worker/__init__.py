"""The worker process, which fine-tunes, evaluates and publishes models. It never talks to Telegram."""

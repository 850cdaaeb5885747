"""The worker process, which fine-tunes, evaluates and publishes models. Workers never talk to Telegram."""

"""Process 2: fine-tunes, judges and publishes models; never talks to Telegram."""

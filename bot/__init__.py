"""Process 1: Telegram in, Telegram out."""

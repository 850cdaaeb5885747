"""A plain bot for comparison, written the way the documentation for python-telegram-bot and Celery recommends."""

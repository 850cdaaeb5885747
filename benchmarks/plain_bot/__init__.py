"""A plain bot for comparison, written as the documentation for python-telegram-bot and Celery recommends."""

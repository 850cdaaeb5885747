"""A plain bot for comparison, as the documentation of python-telegram-bot and Celery recommends."""

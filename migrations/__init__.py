"""The migrations that create and update the tables in ``storage``. ``runner`` applies them."""

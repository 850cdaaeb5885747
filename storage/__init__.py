"""Stores everything that survives a restart, in the database or in the artifact store.

Functions in this package do not commit. The caller opens a unit of work, calls the functions that it needs and closes
the unit:

    database = Database.open(settings.database_address, read_keys(settings))
    with database.unit_of_work() as unit:
        person = upsert_person(unit, telegram_id, name, language)
"""

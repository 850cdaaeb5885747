"""What survives a restart: people, updates, messages, predictions, judgements, replies and model versions.

No function here commits. The edge opens a unit of work, calls what it needs and closes it:

    database = Database.open(settings.database_address, read_keys(settings))
    with database.unit_of_work() as unit:
        person = meet(unit, telegram_id, name, language)
"""

"""The ground floor: settings, errors, logs. Imports no other room."""

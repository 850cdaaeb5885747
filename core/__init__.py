"""Settings, errors and logging, which all other rooms use. Imports no other room."""

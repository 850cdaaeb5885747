"""Tables, column types, encryption, connections and units of work."""

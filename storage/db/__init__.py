"""Tables, columns, encryption, connections and units of work."""

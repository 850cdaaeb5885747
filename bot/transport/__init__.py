"""Updates in and messages out, both kept in the database until they are done."""

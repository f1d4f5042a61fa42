"""An independent reader of the books: its own SQL over all tables, never the models that wrote them. It writes nothing."""

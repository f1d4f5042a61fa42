"""How each part is put into the application: its pages, and which listener hears which announcer."""

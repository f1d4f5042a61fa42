"""No face is shown by accident: each picture is looked at by a machine first, and by a second person if it finds one."""

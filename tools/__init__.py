"""For maintainers and instructors: `python -m tools COMMAND`. No lesson needs anything in here."""

"""What must outlive a process: SQLAlchemy; SQLite by default."""

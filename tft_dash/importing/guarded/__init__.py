"""Uploads on the disk, and the processes with limits that read them."""

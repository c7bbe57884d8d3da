"""What a rule would have done over recorded history: how often it pages, what it misses, how early it is."""

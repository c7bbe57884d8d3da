"""Generated recordings on disk: named by their document, watched, and removed by age and size."""

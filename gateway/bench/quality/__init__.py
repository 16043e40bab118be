"""Quality of warning: our detectors and the usual ones on labelled recordings, by each collection's published rule."""

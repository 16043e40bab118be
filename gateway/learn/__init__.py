"""Learn: thresholds and models from a site's own history, as a versioned artefact.

Flow: recording -> [run: statistics, tails] -> artefact -> ``[learn]`` of the site
"""

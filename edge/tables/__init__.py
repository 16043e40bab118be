"""Tables: tag tables out of a site, blank ones, and lists of tags as other programs and vendors write them."""

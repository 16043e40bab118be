"""Reports: figures of a shift, a day or a month as files, mailed by schedule, with proof, sent again by hand."""

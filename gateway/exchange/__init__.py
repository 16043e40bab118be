"""Exchange: the register's risks, checks and hidden hazards told to an authority, table by table."""

"""The field side of Fengsui: collect, decode, spool, uplink."""

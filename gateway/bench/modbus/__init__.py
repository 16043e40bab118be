"""What reading and decoding registers costs, beside what plainer ways cost: ``fengsui bench modbus|decode``."""

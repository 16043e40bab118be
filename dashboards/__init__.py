"""What people look at: the control-room page and provisioned dashboards."""

"""The machine: devices, processes, precision, memory and files."""

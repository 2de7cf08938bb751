"""One file per authority; the file's name is the value of ``reporting.endpoint``."""

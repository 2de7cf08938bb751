"""The legal record of one guest's stay: built from the visit's case, validated, then frozen byte by byte."""

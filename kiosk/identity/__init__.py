"""Whose code it is: one resolver per credential format, named as the format. Online by a gateway, or by signature.

What a reply or a code says is taken field by field, each with its form; nothing else of it enters the kiosk.
"""

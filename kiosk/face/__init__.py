"""Is the guest alive, and the person on the reference: all that touches a face.

``verifier`` is the way in: one ``FaceEngine`` for each process, one ``Attempt`` for each attempt.
Nothing here opens a file to write, and nothing is kept after ``Attempt.close()``.
"""

NETS = ("yunet", "sface", "minifasnet_v2", "minifasnet_v1se")
"""What the manifest of the model files calls the nets that look at a face."""

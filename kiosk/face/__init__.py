"""Is the guest alive, and the person on the reference: all that touches a face.

``verifier`` is the way in: one ``FaceEngine`` for each process, one ``Attempt`` for each attempt.
Nothing here opens a file to write, and nothing is kept after ``Attempt.close()``.
"""

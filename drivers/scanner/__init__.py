"""Reading the codes that guests present: on a frame of the camera, or on any picture."""

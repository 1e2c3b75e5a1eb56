"""The true face from a camera: an optional extra (docs/camera.md). No picture is written or sent anywhere."""

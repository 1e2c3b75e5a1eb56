"""The reconstructed face to avatars: VMC, VRChat OSC and Live Link Face."""
